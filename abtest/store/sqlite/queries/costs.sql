-- Costs of experiment ?1, or all of them.
SELECT day, experiment, source, currency, sum(value)
FROM event
WHERE kind = 5 AND (?1 IS NULL OR experiment = ?1)
GROUP BY day, experiment, source, currency
ORDER BY day, experiment, source, currency
