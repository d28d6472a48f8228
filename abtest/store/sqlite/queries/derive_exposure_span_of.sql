-- When visitors were exposed to experiment ?1, those that were folded included.
INSERT INTO exposure_span (experiment, first_at, last_at)
SELECT ?1, first_at, last_at
FROM (
    SELECT min(first_at) AS first_at, max(last_at) AS last_at
    FROM (
        SELECT min(at) AS first_at, max(at) AS last_at
        FROM event WHERE kind = 1 AND experiment = ?1
        UNION ALL
        SELECT first_at, last_at FROM folded_exposure_span WHERE experiment = ?1
    )
)
WHERE first_at IS NOT NULL
