SELECT experiment, day, exposures, steps, seconds, changes
FROM activity WHERE experiment = ? ORDER BY day
