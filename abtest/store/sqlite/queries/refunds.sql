-- Refunds of the orders in the JSON array ?1.
SELECT order_number, event.id, at, event.value, currency
FROM json_each(?1) AS wanted
CROSS JOIN event ON event.order_number = wanted.value
WHERE kind = 3
