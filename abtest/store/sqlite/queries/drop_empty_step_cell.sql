DELETE FROM step_cell
WHERE experiment = ? AND variant = ? AND day = ? AND lag = ? AND step = ?
    AND visitors = 0
