-- What a client signed of its push, to the byte. Only what was found good is kept; a nonce comes once.
CREATE TABLE push_certificates (
    push_id BIGINT PRIMARY KEY REFERENCES pushes (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    certificate TEXT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    nonce {{key}} NOT NULL,
    nonce_issued_at BIGINT NOT NULL,
    UNIQUE (repository_id, nonce)
);

-- Whether the agent changes refs by signed pushes only.
ALTER TABLE agents ADD COLUMN signed_only BOOLEAN NOT NULL DEFAULT FALSE;
