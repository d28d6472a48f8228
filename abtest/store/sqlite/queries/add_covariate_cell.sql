INSERT INTO covariate_cell VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    by_count = by_count + excluded.by_count,
    by_amount_high = by_amount_high + excluded.by_amount_high
        + ((by_amount_low + excluded.by_amount_low) >> 32),
    by_amount_low = (by_amount_low + excluded.by_amount_low) & 0xFFFFFFFF
