-- When step ?1 was reached last, by visitors that were folded too.
INSERT INTO step_reach (step, last_at)
SELECT ?1, last_at
FROM (
    SELECT max(last_at) AS last_at
    FROM (
        SELECT max(at) AS last_at FROM event WHERE kind = 2 AND step = ?1
        UNION ALL
        SELECT last_at FROM folded_step_reach WHERE step = ?1
    )
)
WHERE last_at IS NOT NULL
