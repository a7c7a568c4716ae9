-- What a principal lets an agent do for one task. The terms name repositories by id.
CREATE TABLE task_grants (
    id {{key}} PRIMARY KEY,
    agent_id BIGINT NOT NULL,
    agent_kind TEXT NOT NULL DEFAULT 'agent' CHECK (agent_kind = 'agent'),
    delegator_id BIGINT NOT NULL REFERENCES accounts (id),
    -- The delegator at the top of the chain, whose rights it is about.
    holder_id BIGINT NOT NULL REFERENCES accounts (id),
    task TEXT NOT NULL,
    parent_id {{key}} REFERENCES task_grants (id),
    depth BIGINT NOT NULL CHECK (depth BETWEEN 1 AND 3),
    terms TEXT NOT NULL,
    needs_consent BOOLEAN NOT NULL,
    consented_at BIGINT,
    created_by BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoke_reason TEXT,
    CHECK ((parent_id IS NULL) = (depth = 1)),
    FOREIGN KEY (agent_id, agent_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX task_grants_by_agent ON task_grants (agent_id, created_at);
CREATE INDEX task_grants_by_delegator ON task_grants (delegator_id, created_at);
CREATE INDEX task_grants_by_parent ON task_grants (parent_id);

-- Apart from the grant, which ref changes hold while they count here.
CREATE TABLE task_grant_uses (
    grant_id {{key}} PRIMARY KEY REFERENCES task_grants (id),
    pushes BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT
);

-- The grant a credential was exchanged for, and the surfaces it is good for; none means all.
ALTER TABLE credentials ADD COLUMN grant_id {{key}} REFERENCES task_grants (id);
ALTER TABLE credentials ADD COLUMN audience TEXT;
CREATE INDEX credentials_by_grant ON credentials (grant_id);
