-- Nodes whose person is not what was derived.
INSERT OR IGNORE INTO touched
SELECT stored.node
FROM main.person AS stored
LEFT JOIN temp.person AS expected ON expected.node = stored.node
WHERE stored.representative IS NOT expected.representative
UNION
SELECT expected.node
FROM temp.person AS expected
LEFT JOIN main.person AS stored ON stored.node = expected.node
WHERE stored.node IS NULL
