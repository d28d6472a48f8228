-- Those visitors of experiment ?1 who did more than look, with what attribute ?2 was at
-- their own first exposure.
SELECT
    (
        SELECT attributes -> ?2
        FROM event
        WHERE coalesce(event.visitor, event.customer) = +outcome.visitor
            AND kind = 1 AND event.experiment = ?1
        ORDER BY at, id
        LIMIT 1
    ),
    visitor, variant, day, variants_seen, detail
FROM outcome
WHERE experiment = ?1 AND detail IS NOT NULL
