INSERT INTO step_reach (step, last_at)
SELECT step, max(at) FROM event WHERE kind = 2 GROUP BY step
