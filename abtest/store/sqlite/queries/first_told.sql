-- The event that told first of each order in the JSON array ?1.
SELECT
    wanted.value, kind, coalesce(visitor, customer), step, at, event.value IS NOT NULL,
    trusted
FROM json_each(?1) AS wanted
CROSS JOIN event ON event.seq = (
    SELECT seq FROM event WHERE order_number = wanted.value ORDER BY seq LIMIT 1
)
