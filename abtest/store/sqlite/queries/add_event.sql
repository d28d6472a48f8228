-- What an event does not tell is given as 0, and a value as ''.
INSERT INTO event (
    id, received_at, visitor, customer, at, kind, trusted, experiment, variant,
    attributes, step, value, currency, order_number, source, day
) VALUES (
    ?, ?, nullif(?, 0), nullif(?, 0), ?, ?, ?, nullif(?, 0), nullif(?, 0),
    nullif(?, 0), nullif(?, 0), nullif(?, ''), nullif(?, 0), nullif(?, 0),
    nullif(?, 0), nullif(?, 0)
)
