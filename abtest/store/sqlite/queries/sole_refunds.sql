-- Refunds of the orders that nobody but the nodes in the JSON array ?1 told of.
SELECT DISTINCT refund.seq
FROM json_each(?1) AS wanted
CROSS JOIN event AS told ON coalesce(told.visitor, told.customer) = wanted.value
CROSS JOIN event AS refund ON refund.order_number = told.order_number
WHERE told.kind = 2
    AND told.order_number IS NOT NULL
    AND refund.kind = 3
    AND NOT EXISTS (
        SELECT 1 FROM event AS other
        WHERE other.order_number = told.order_number
            AND other.kind = 2
            AND coalesce(other.visitor, other.customer)
                NOT IN (SELECT value FROM json_each(?1))
    )
