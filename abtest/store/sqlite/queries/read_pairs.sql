SELECT
    variant, day, ordinal_a, lag_a, ordinal_b, lag_b,
    conversions, product_high, product_low, count_amount, amount_count
FROM pair WHERE experiment = ?
