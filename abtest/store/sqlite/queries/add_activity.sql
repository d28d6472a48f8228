INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    exposures = exposures + excluded.exposures,
    steps = steps + excluded.steps,
    seconds = seconds + excluded.seconds,
    changes = changes + excluded.changes
