-- The next ?2 persons after ?1.
SELECT id
FROM node
WHERE id > ?1 AND id NOT IN (SELECT node FROM person)
ORDER BY id
LIMIT ?2
