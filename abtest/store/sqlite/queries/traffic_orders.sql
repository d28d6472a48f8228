-- Conversions with money or an order number at the steps of the JSON array ?4, from ?2
-- to before ?3, among events from number ?1 on, person by person.
SELECT
    coalesce(person.representative, told.node) AS who, id, at, step, value, currency,
    order_number, trusted
FROM (
    SELECT
        coalesce(visitor, customer) AS node, id, at, step, value, currency,
        order_number, trusted
    FROM event
    WHERE seq >= ?1 AND kind = 2 AND at >= ?2 AND at < ?3
        AND (value IS NOT NULL OR order_number IS NOT NULL)
        AND step IN (SELECT value FROM json_each(?4))
) AS told
LEFT JOIN person ON person.node = told.node
ORDER BY who
