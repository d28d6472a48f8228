-- Whom the events after ?1 concern.
SELECT visitor, customer, order_number FROM event WHERE seq > ?1
