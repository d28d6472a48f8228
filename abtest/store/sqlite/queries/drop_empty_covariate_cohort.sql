DELETE FROM covariate_cohort
WHERE experiment = ? AND variant = ? AND day = ?
    AND total = 0 AND squares_high = 0 AND squares_low = 0
