UPDATE temp.outcome AS expected SET journey = NULL
FROM main.outcome AS stored
WHERE expected.journey IS NOT NULL
    AND stored.visitor = expected.visitor AND stored.experiment = expected.experiment
    AND stored.journey IS NULL
