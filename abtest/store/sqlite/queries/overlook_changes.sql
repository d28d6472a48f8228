UPDATE temp.activity AS expected SET changes = stored.changes
FROM main.activity AS stored
WHERE stored.experiment = expected.experiment AND stored.day = expected.day
