-- The next ?3 visitors after ?2 who were exposed to experiment ?1.
SELECT visitor FROM outcome
WHERE experiment = ?1 AND visitor > ?2
ORDER BY visitor
LIMIT ?3
