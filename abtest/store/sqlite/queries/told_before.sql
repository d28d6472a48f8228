-- Orders of the JSON array ?1 of which somebody told before ?2, with their steps.
SELECT coalesce(person.representative, told.node), step, order_number
FROM (
    SELECT coalesce(visitor, customer) AS node, step, order_number
    FROM json_each(?1) AS wanted
    CROSS JOIN event ON event.order_number = wanted.value
    WHERE kind = 2 AND at < ?2
) AS told
LEFT JOIN person ON person.node = told.node
