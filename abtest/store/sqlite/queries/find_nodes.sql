-- Nodes of kind ?1 whose names are in the JSON array ?2, with their persons.
SELECT node.name, node.id, coalesce(person.representative, node.id)
FROM json_each(?2) AS wanted
CROSS JOIN node ON node.kind = ?1 AND node.name = wanted.value
LEFT JOIN person ON person.node = node.id
