CREATE TABLE agents (
    account_id BIGINT PRIMARY KEY,
    account_kind TEXT NOT NULL DEFAULT 'agent' CHECK (account_kind = 'agent'),
    standing_access TEXT NOT NULL DEFAULT 'full' CHECK (standing_access IN ('full', 'read', 'exchange_only')),
    expires_unbound_at BIGINT,
    registered_from TEXT,
    suspended_by BIGINT REFERENCES accounts (id),
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX agents_by_expiry ON agents (expires_unbound_at) WHERE expires_unbound_at IS NOT NULL;

CREATE TABLE agent_invites (
    id {{key}} PRIMARY KEY,
    human_id BIGINT NOT NULL,
    human_kind TEXT NOT NULL DEFAULT 'human' CHECK (human_kind = 'human'),
    token_hash {{blob}} NOT NULL UNIQUE,
    agent_login TEXT,
    repository_grants TEXT NOT NULL,
    team_grants TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT,
    consumed_by BIGINT REFERENCES accounts (id),
    registered_id BIGINT REFERENCES accounts (id),
    withdrawn_at BIGINT,
    FOREIGN KEY (human_id, human_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX agent_invites_by_human ON agent_invites (human_id);

-- At most one human per agent.
CREATE TABLE agent_bindings (
    agent_id BIGINT PRIMARY KEY,
    agent_kind TEXT NOT NULL DEFAULT 'agent' CHECK (agent_kind = 'agent'),
    human_id BIGINT NOT NULL,
    human_kind TEXT NOT NULL DEFAULT 'human' CHECK (human_kind = 'human'),
    invite_id {{key}} REFERENCES agent_invites (id),
    bound_at BIGINT NOT NULL,
    FOREIGN KEY (agent_id, agent_kind) REFERENCES accounts (id, kind),
    FOREIGN KEY (human_id, human_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX agent_bindings_by_human ON agent_bindings (human_id);
