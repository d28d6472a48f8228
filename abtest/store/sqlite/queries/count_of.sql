-- How many visitors are among the nodes in the JSON array ?1, and how many events.
SELECT
    (
        SELECT count(*) FROM json_each(?1) AS wanted
        CROSS JOIN node ON node.id = wanted.value
        WHERE node.kind = 1
    ),
    (
        SELECT count(*) FROM json_each(?1) AS wanted
        CROSS JOIN event ON coalesce(event.visitor, event.customer) = wanted.value
    )
