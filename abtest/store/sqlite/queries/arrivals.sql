-- Events since ?2 that count for experiment ?1, whose steps are the JSON array ?3:
-- first exposures, and conversions of persons who had been exposed by then.
SELECT
    (
        SELECT count(*)
        FROM event AS first INDEXED BY event_at
        WHERE first.at >= ?2 AND first.kind = 1 AND first.experiment = ?1
            AND NOT EXISTS (
                SELECT 1 FROM event AS earlier
                WHERE coalesce(earlier.visitor, earlier.customer) = first.visitor
                    AND earlier.kind = 1 AND earlier.experiment = ?1
                    AND (earlier.at, earlier.id) < (first.at, first.id)
            )
    ),
    (
        SELECT count(*)
        FROM event AS conversion INDEXED BY event_at
        LEFT JOIN person AS buyer
            ON buyer.node = coalesce(conversion.visitor, conversion.customer)
        WHERE conversion.at >= ?2 AND conversion.kind = 2
            AND conversion.step IN (SELECT value FROM json_each(?3))
            AND EXISTS (
                SELECT 1 FROM event AS exposure
                WHERE exposure.kind = 1 AND exposure.experiment = ?1
                    AND exposure.at <= conversion.at
                    AND coalesce(exposure.visitor, exposure.customer) IN (
                        SELECT coalesce(
                            buyer.representative,
                            coalesce(conversion.visitor, conversion.customer)
                        )
                        UNION ALL
                        SELECT node FROM person
                        WHERE representative = coalesce(
                            buyer.representative,
                            coalesce(conversion.visitor, conversion.customer)
                        )
                    )
            )
    )
