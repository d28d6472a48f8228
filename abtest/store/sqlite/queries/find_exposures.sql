-- Experiments that the visitors of the JSON array ?1 were exposed to, and the variants
-- of the first time.
SELECT wanted.value, experiment.key, outcome.variant
FROM json_each(?1) AS wanted
CROSS JOIN node ON node.kind = 1 AND node.name = wanted.value
CROSS JOIN outcome ON outcome.visitor = node.id
CROSS JOIN experiment ON experiment.id = outcome.experiment
