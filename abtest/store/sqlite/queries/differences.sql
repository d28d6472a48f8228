-- Rows that are stored and wrong or superfluous, then rows that are missing.
SELECT {stored}, {expected}
FROM main.{table} AS stored
LEFT JOIN temp.{table} AS expected ON {same_key}
WHERE ({stored}) IS NOT ({expected})
UNION ALL
SELECT {stored}, {expected}
FROM temp.{table} AS expected
LEFT JOIN main.{table} AS stored ON {same_key}
WHERE stored.{key} IS NULL
