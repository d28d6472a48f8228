-- Persons of those nodes of the JSON array ?1 that do not represent themselves.
SELECT person.node, person.representative
FROM json_each(?1) AS wanted
CROSS JOIN person ON person.node = wanted.value
