INSERT INTO covariate_cohort VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    total = total + excluded.total,
    squares_high = squares_high + excluded.squares_high
        + ((squares_low + excluded.squares_low) >> 32),
    squares_low = (squares_low + excluded.squares_low) & 0xFFFFFFFF
