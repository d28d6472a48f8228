-- Costs of experiment ?1.
SELECT id, at, source, day, value, currency
FROM event
WHERE kind = 5 AND experiment = ?1
ORDER BY seq
