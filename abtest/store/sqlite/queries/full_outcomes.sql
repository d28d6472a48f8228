-- Outcomes of the visitors in the JSON array ?1, as they are stored.
SELECT visitor, experiment, variant, day, variants_seen, detail, exposed_at, journey
FROM json_each(?1) AS wanted
CROSS JOIN outcome ON outcome.visitor = wanted.value
