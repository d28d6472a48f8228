-- Facts of experiment ?1, whose steps are the JSON array ?2.
SELECT
    (SELECT coalesce(sum(contaminated), 0) FROM cohort WHERE experiment = ?1),
    (SELECT first_at FROM exposure_span WHERE experiment = ?1),
    (SELECT last_at FROM exposure_span WHERE experiment = ?1),
    (SELECT max(last_at) FROM step_reach WHERE step IN (SELECT value FROM json_each(?2)))
