SELECT day, kind, code, amount FROM tally WHERE experiment = ? AND day >= ?
