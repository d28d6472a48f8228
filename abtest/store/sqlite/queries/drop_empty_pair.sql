DELETE FROM pair
WHERE experiment = ? AND variant = ? AND day = ?
    AND ordinal_a = ? AND lag_a = ? AND ordinal_b = ? AND lag_b = ?
    AND conversions = 0 AND product_high = 0 AND product_low = 0
    AND count_amount = 0 AND amount_count = 0
