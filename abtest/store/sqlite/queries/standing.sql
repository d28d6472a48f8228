-- As one JSON array, nodes and outcomes of the persons of the JSON array ?1.
SELECT '[' || coalesce(group_concat(told), '') || ']'
FROM (
    SELECT
        json_array(
            wanted.value, visitor, experiment, variant, day, variants_seen, detail,
            exposed_at, journey
        ) AS told
    FROM json_each(?1) AS wanted
    CROSS JOIN outcome ON outcome.visitor = wanted.value
    UNION ALL
    SELECT
        json_array(
            wanted.value, node, experiment, variant, day, variants_seen, detail,
            exposed_at, journey
        )
    FROM json_each(?1) AS wanted
    CROSS JOIN person ON person.representative = wanted.value
    LEFT JOIN outcome ON outcome.visitor = person.node
) AS found
