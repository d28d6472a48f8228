INSERT INTO step_cell VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET visitors = visitors + excluded.visitors
