-- The thumbprint of the key a credential is bound to: it is good only with a proof of that key.
ALTER TABLE credentials ADD COLUMN cnf_jkt TEXT;

-- The key of which a proof has to come with the request that uses the code up.
ALTER TABLE device_codes ADD COLUMN dpop_jkt TEXT;
ALTER TABLE authorization_codes ADD COLUMN dpop_jkt TEXT;

-- Whether tokens of the agent are good only when they are bound to a key.
ALTER TABLE agents ADD COLUMN bound_only BOOLEAN NOT NULL DEFAULT FALSE;

-- Public keys of agents. A key belongs to one agent, also after its end.
CREATE TABLE agent_keys (
    id {{key}} PRIMARY KEY,
    agent_id BIGINT NOT NULL,
    agent_kind TEXT NOT NULL DEFAULT 'agent' CHECK (agent_kind = 'agent'),
    purpose TEXT NOT NULL CHECK (purpose IN ('dpop', 'mtls')),
    algorithm TEXT NOT NULL,
    public_key TEXT NOT NULL,
    thumbprint {{key}} NOT NULL UNIQUE,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    retires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    FOREIGN KEY (agent_id, agent_kind) REFERENCES accounts (id, kind)
);
-- Of each purpose an agent has one key that stands; another may still be good while it retires.
CREATE UNIQUE INDEX agent_keys_standing ON agent_keys (agent_id, purpose)
    WHERE retires_at IS NULL AND revoked_at IS NULL;
CREATE INDEX agent_keys_by_agent ON agent_keys (agent_id);

-- What may come once only, for as long as it would be accepted. SQLite keeps this in a file of its own.
{{postgres}}
CREATE TABLE proofs_seen (key BYTEA PRIMARY KEY, until BIGINT NOT NULL);
{{end}}
