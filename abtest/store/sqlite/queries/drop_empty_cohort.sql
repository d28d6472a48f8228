DELETE FROM cohort
WHERE experiment = ? AND variant = ? AND day = ?
    AND visitors = 0
