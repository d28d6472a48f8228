SELECT experiment, day, exposures, steps, seconds, changes
FROM activity ORDER BY experiment, day
