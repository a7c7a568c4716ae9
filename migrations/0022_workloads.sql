-- Which workloads, by whose word, open sessions of an agent.
CREATE TABLE workload_bindings (
    id {{key}} PRIMARY KEY,
    agent_id BIGINT NOT NULL,
    agent_kind TEXT NOT NULL DEFAULT 'agent' CHECK (agent_kind = 'agent'),
    issuer TEXT NOT NULL,
    audience TEXT,
    subject TEXT NOT NULL,
    claims TEXT NOT NULL,
    max_ttl BIGINT NOT NULL CHECK (max_ttl > 0),
    jwks TEXT,
    jwks_uri TEXT,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    CHECK (jwks IS NULL OR jwks_uri IS NULL),
    FOREIGN KEY (agent_id, agent_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX workload_bindings_by_agent ON workload_bindings (agent_id);

-- What whoever bears a credential runs in: the issuer that vouched for it, a space, and the subject.
ALTER TABLE credentials ADD COLUMN runtime TEXT;
