-- Who reached which step with one of the orders in the JSON array ?1.
SELECT coalesce(visitor, customer), step
FROM json_each(?1) AS wanted
CROSS JOIN event ON event.order_number = wanted.value
WHERE kind = 2 AND coalesce(visitor, customer) IS NOT NULL
