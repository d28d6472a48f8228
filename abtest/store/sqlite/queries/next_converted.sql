-- The next ?3 visitors after ?2 in experiment ?1 who did more than look.
SELECT visitor
FROM outcome
WHERE visitor > ?2 AND experiment = ?1 AND detail IS NOT NULL
ORDER BY visitor
LIMIT ?3
