DELETE FROM temp.activity WHERE exposures = 0 AND steps = 0 AND seconds = 0
