SELECT variant, day, lag, ordinal, conversions, total, squares_high, squares_low
FROM cell WHERE experiment = ?
