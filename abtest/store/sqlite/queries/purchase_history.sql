-- Exposures to experiment ?2, and conversions at the steps of the JSON array ?3, of the
-- nodes in the JSON array ?1.
SELECT
    wanted.value, kind, event.id, at, variant,
    step, event.value, currency, order_number, trusted
FROM json_each(?1) AS wanted
CROSS JOIN event ON coalesce(event.visitor, event.customer) = wanted.value
WHERE (kind = 1 AND experiment = ?2)
    OR (kind = 2 AND step IN (SELECT value FROM json_each(?3)))
