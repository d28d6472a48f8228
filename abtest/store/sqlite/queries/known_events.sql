-- Which of the 16-byte ids that are joined end to end in ?1 are stored.
WITH RECURSIVE wanted (place) AS (
    VALUES (1)
    UNION ALL
    SELECT place + 16 FROM wanted WHERE place + 16 <= length(?1)
)
SELECT event.id
FROM wanted
CROSS JOIN event ON event.id = substr(?1, wanted.place, 16)
