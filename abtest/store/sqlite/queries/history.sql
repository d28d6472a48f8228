-- Exposures and conversions of the nodes in the JSON array ?1.
SELECT
    wanted.value, kind, event.id, at, experiment, variant, attributes,
    step, event.value, currency, order_number, trusted
FROM json_each(?1) AS wanted
CROSS JOIN event ON coalesce(event.visitor, event.customer) = wanted.value
WHERE kind <= 2
