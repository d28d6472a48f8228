-- Outcomes of the visitors in the JSON array ?1.
SELECT visitor, experiment, variant, day, variants_seen, detail
FROM json_each(?1) AS wanted
CROSS JOIN outcome ON outcome.visitor = wanted.value
