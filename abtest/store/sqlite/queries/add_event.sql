INSERT INTO event (
    id, received_at, visitor, customer, at, kind, trusted, experiment, variant,
    attributes, step, value, currency, order_number, source, day
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
