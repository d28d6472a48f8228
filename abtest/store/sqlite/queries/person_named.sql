-- The person of the name ?2 of kind ?1.
SELECT coalesce(person.representative, node.id)
FROM node LEFT JOIN person ON person.node = node.id
WHERE node.kind = ?1 AND node.name = ?2
