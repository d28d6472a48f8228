SELECT variant, day, lag, step, visitors FROM step_cell WHERE experiment = ?
