-- How the tables of the JSON array ?1 and their indexes were made.
SELECT sql
FROM main.sqlite_schema
WHERE sql IS NOT NULL AND tbl_name IN (SELECT value FROM json_each(?1))
ORDER BY type DESC
