-- All events of the nodes in the JSON array ?1, and the refunds of their orders.
WITH own (seq, kind, order_number) AS (
    SELECT event.seq, event.kind, event.order_number
    FROM json_each(?1) AS wanted
    CROSS JOIN event ON coalesce(event.visitor, event.customer) = wanted.value
),
orders (order_number) AS (
    SELECT DISTINCT order_number FROM own WHERE kind = 2 AND order_number IS NOT NULL
),
found (seq) AS (
    SELECT seq FROM own
    UNION ALL
    SELECT refund.seq
    FROM orders
    CROSS JOIN event AS refund ON refund.order_number = orders.order_number
    WHERE refund.kind = 3
)
SELECT
    event.id, event.received_at, event.at, event.kind, event.trusted,
    visitor.name, customer.name, event.experiment, event.variant, event.attributes,
    event.step, event.value, event.currency, event.order_number
FROM found
CROSS JOIN event ON event.seq = found.seq
LEFT JOIN node AS visitor ON visitor.id = event.visitor
LEFT JOIN node AS customer ON customer.id = event.customer
ORDER BY event.at, event.seq
