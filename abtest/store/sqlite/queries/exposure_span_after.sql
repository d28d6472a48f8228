SELECT experiment, min(at), max(at)
FROM event WHERE seq > ? AND kind = 1 GROUP BY experiment
