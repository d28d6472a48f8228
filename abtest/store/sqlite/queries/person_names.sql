-- Kinds and names of the nodes in the JSON array ?1.
SELECT node.kind, node.name
FROM json_each(?1) AS wanted
CROSS JOIN node ON node.id = wanted.value
ORDER BY node.id
