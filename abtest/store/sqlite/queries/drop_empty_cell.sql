DELETE FROM cell
WHERE experiment = ? AND variant = ? AND day = ? AND lag = ? AND ordinal = ?
    AND conversions = 0 AND total = 0 AND squares_high = 0 AND squares_low = 0
