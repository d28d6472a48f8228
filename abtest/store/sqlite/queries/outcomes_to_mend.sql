-- Visitors whose outcomes are not what was derived.
INSERT OR IGNORE INTO touched
SELECT stored.visitor
FROM main.outcome AS stored
LEFT JOIN temp.outcome AS expected
    ON expected.visitor = stored.visitor AND expected.experiment = stored.experiment
WHERE (stored.variant, stored.day, stored.variants_seen, stored.detail,
        stored.exposed_at, stored.journey)
    IS NOT (expected.variant, expected.day, expected.variants_seen, expected.detail,
        expected.exposed_at, expected.journey)
UNION
SELECT expected.visitor
FROM temp.outcome AS expected
LEFT JOIN main.outcome AS stored
    ON stored.visitor = expected.visitor AND stored.experiment = expected.experiment
WHERE stored.visitor IS NULL
