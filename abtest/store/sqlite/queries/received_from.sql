SELECT seq, received_at FROM event WHERE seq >= ? ORDER BY seq LIMIT 1
