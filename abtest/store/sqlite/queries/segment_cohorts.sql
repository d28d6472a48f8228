-- Visitors of experiment ?1 by what attribute ?2 was at their own first exposure.
SELECT
    (
        SELECT attributes -> ?2
        FROM event
        WHERE coalesce(event.visitor, event.customer) = +outcome.visitor
            AND kind = 1 AND event.experiment = ?1
        ORDER BY at, id
        LIMIT 1
    ) AS segment,
    variant, day, count(*)
FROM outcome
WHERE experiment = ?1
GROUP BY segment, variant, day
