-- Experiments that the visitor ?1 was exposed to, and the variants of the first time.
SELECT experiment.key, outcome.variant
FROM node
CROSS JOIN outcome ON outcome.visitor = node.id
CROSS JOIN experiment ON experiment.id = outcome.experiment
WHERE node.kind = 1 AND node.name = ?1
