SELECT id, kind, name, secret_hash, hint, origins, created_at, revoked_at
FROM api_key
WHERE secret_hash = ?1 AND revoked_at IS NULL
