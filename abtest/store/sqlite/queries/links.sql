SELECT DISTINCT visitor, customer
FROM event
WHERE visitor IS NOT NULL AND customer IS NOT NULL
