-- Nodes, outcomes and what is settled of the persons of the JSON array ?1.
SELECT
    wanted.value, visitor, outcome.experiment, variant, day, variants_seen, detail,
    exposed_at, settled
FROM json_each(?1) AS wanted
CROSS JOIN outcome ON outcome.visitor = wanted.value
LEFT JOIN busy ON busy.person = wanted.value AND busy.experiment = outcome.experiment
UNION ALL
SELECT
    wanted.value, node, outcome.experiment, variant, day, variants_seen, detail,
    exposed_at, settled
FROM json_each(?1) AS wanted
CROSS JOIN person ON person.representative = wanted.value
LEFT JOIN outcome ON outcome.visitor = person.node
LEFT JOIN busy ON busy.person = wanted.value AND busy.experiment = outcome.experiment
