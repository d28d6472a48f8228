INSERT INTO step_reach VALUES (?, ?)
ON CONFLICT DO UPDATE SET last_at = excluded.last_at WHERE excluded.last_at > last_at
