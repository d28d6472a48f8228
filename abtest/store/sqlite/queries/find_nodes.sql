-- The last node, and as one JSON array the nodes of the visitors in the JSON array ?1
-- and of the customers in the JSON array ?2: kind, name, number, person.
SELECT
    (SELECT coalesce(max(id), 0) FROM node),
    json_group_array(
        json_array(
            node.kind, node.name, node.id, coalesce(person.representative, node.id)
        )
    )
FROM (
    SELECT 1 AS kind, value FROM json_each(?1)
    UNION ALL
    SELECT 2, value FROM json_each(?2)
) AS wanted
CROSS JOIN node ON node.kind = wanted.kind AND node.name = wanted.value
LEFT JOIN person ON person.node = node.id
