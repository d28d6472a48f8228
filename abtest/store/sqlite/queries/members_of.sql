-- Further nodes of the persons of the JSON array ?1.
SELECT person.representative, person.node
FROM json_each(?1) AS wanted
CROSS JOIN person ON person.representative = wanted.value
