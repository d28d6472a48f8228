-- Persons of the JSON array ?1 who still are persons, did nothing from ?2 on, and whom
-- every experiment they were exposed in had followed for its window. ?3 is a JSON
-- object: experiment -> last exposure day that is over.
WITH member (person, node) AS MATERIALIZED (
    SELECT value, value FROM json_each(?1)
    UNION ALL
    SELECT person.representative, person.node
    FROM json_each(?1) AS wanted
    CROSS JOIN person ON person.representative = wanted.value
),
waiting (person) AS MATERIALIZED (
    SELECT member.person
    FROM member
    CROSS JOIN outcome ON outcome.visitor = member.node
    LEFT JOIN json_each(?3) AS over ON over.key = CAST(outcome.experiment AS TEXT)
    WHERE over.value IS NULL OR outcome.day > over.value
),
busy (person) AS MATERIALIZED (
    SELECT member.person
    FROM member
    CROSS JOIN event ON coalesce(event.visitor, event.customer) = member.node
    WHERE member.person NOT IN (SELECT person FROM waiting) AND event.at >= ?2
    UNION ALL
    SELECT member.person
    FROM member
    CROSS JOIN event AS told ON coalesce(told.visitor, told.customer) = member.node
    CROSS JOIN event AS refund ON refund.order_number = told.order_number
    WHERE member.person NOT IN (SELECT person FROM waiting)
        AND told.kind = 2
        AND told.order_number IS NOT NULL
        AND refund.kind = 3
        AND refund.at >= ?2
)
SELECT node.id
FROM json_each(?1) AS wanted
CROSS JOIN node ON node.id = wanted.value
WHERE node.id NOT IN (SELECT node FROM person)
    AND node.id NOT IN (SELECT person FROM waiting)
    AND node.id NOT IN (SELECT person FROM busy)
