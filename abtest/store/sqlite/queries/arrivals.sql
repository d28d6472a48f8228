-- Events since ?2 that count for experiment ?1, whose steps are the JSON array ?3:
-- first exposures, and conversions of persons who had been exposed by then.
-- The unary plus takes the type from a column, so that the index on an expression,
-- which has none, can be used.
SELECT
    (
        SELECT count(*)
        FROM event AS first INDEXED BY event_at
        WHERE first.at >= ?2 AND first.kind = 1 AND first.experiment = ?1
            AND NOT EXISTS (
                SELECT 1 FROM event AS earlier INDEXED BY event_node
                WHERE coalesce(earlier.visitor, earlier.customer) = +first.visitor
                    AND earlier.kind = 1 AND earlier.experiment = ?1
                    AND (earlier.at, earlier.id) < (first.at, first.id)
            )
    ),
    (
        SELECT count(*)
        FROM (
            SELECT
                at,
                coalesce(
                    (
                        SELECT representative FROM person
                        WHERE node = coalesce(visitor, customer)
                    ),
                    coalesce(visitor, customer)
                ) AS person
            FROM event INDEXED BY event_at
            WHERE at >= ?2 AND kind = 2
                AND step IN (SELECT value FROM json_each(?3))
        ) AS conversion
        WHERE EXISTS (
            SELECT 1 FROM event AS exposure INDEXED BY event_node
            WHERE coalesce(exposure.visitor, exposure.customer) IN (
                    SELECT conversion.person
                    UNION ALL
                    SELECT +node FROM person WHERE representative = conversion.person
                )
                AND exposure.kind = 1 AND exposure.experiment = ?1
                AND exposure.at <= conversion.at
        )
    )
