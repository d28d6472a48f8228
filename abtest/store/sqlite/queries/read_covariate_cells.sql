SELECT variant, day, lag, ordinal, by_count, by_amount_high, by_amount_low
FROM covariate_cell WHERE experiment = ?
