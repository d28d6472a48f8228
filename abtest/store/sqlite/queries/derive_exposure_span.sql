INSERT INTO exposure_span (experiment, first_at, last_at)
SELECT experiment, min(at), max(at) FROM event WHERE kind = 1 GROUP BY experiment
