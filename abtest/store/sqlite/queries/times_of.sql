-- First and last time of exposures by experiment (kind 1) and of conversions by step
-- (kind 2) of the nodes in the JSON array ?1.
SELECT event.kind, event.experiment, event.step, min(event.at), max(event.at)
FROM json_each(?1) AS wanted
CROSS JOIN event ON coalesce(event.visitor, event.customer) = wanted.value
WHERE event.kind <= 2
GROUP BY event.kind, event.experiment, event.step
