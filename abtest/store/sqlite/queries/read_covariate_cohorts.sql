SELECT variant, day, total, squares_high, squares_low
FROM covariate_cohort WHERE experiment = ?
