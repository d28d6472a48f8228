-- Who did what from ?2 to before ?3, among events from number ?1 on; an exposure has
-- no step.
SELECT coalesce(person.representative, person_node.node), step
FROM (
    SELECT coalesce(visitor, customer) AS node, step
    FROM event
    WHERE seq >= ?1 AND kind <= 2 AND at >= ?2 AND at < ?3
) AS person_node
LEFT JOIN person ON person.node = person_node.node
