INSERT INTO cohort VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    visitors = visitors + excluded.visitors,
    contaminated = contaminated + excluded.contaminated
