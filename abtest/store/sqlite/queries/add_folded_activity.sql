-- What the folded visitors did on each calendar day.
INSERT INTO activity (experiment, day, exposures, steps, seconds, changes)
SELECT
    experiment, day, sum(exposures), sum(steps), sum(seconds),
    1 + (random() & 0xFFFFFFFF)
FROM (
    SELECT experiment, day, visitors AS exposures, 0 AS steps, 0 AS seconds
    FROM folded_cohort
    UNION ALL
    SELECT experiment, day + lag, 0, visitors, 0 FROM folded_step_cell
    UNION ALL
    SELECT experiment, day + lag, 0, 0, conversions FROM folded_cell WHERE ordinal = 2
)
GROUP BY experiment, day
ON CONFLICT DO UPDATE SET
    exposures = exposures + excluded.exposures,
    steps = steps + excluded.steps,
    seconds = seconds + excluded.seconds,
    changes = changes + excluded.changes
