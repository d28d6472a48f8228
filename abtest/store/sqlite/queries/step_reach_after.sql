SELECT step, max(at) FROM event WHERE seq > ? AND kind = 2 GROUP BY step
