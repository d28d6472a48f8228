INSERT INTO exposure_span VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET
    first_at = min(first_at, excluded.first_at),
    last_at = max(last_at, excluded.last_at)
