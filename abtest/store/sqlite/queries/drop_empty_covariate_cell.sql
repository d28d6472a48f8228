DELETE FROM covariate_cell
WHERE experiment = ? AND variant = ? AND day = ? AND lag = ? AND ordinal = ?
    AND by_count = 0 AND by_amount_high = 0 AND by_amount_low = 0
