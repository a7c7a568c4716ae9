-- A credential's value is never stored: only a keyed hash, and four characters to tell credentials apart.
CREATE TABLE credentials (
    id {{id}},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    hash {{blob}} NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    tail TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT,
    acting_id BIGINT REFERENCES accounts (id),
    client_id TEXT,
    family {{key}} NOT NULL,
    parent_id BIGINT REFERENCES credentials (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    renewable_until BIGINT,
    last_used_at BIGINT,
    consumed_at BIGINT,
    revoked_at BIGINT,
    revoke_reason TEXT
);
CREATE INDEX credentials_by_account ON credentials (account_id, kind);
CREATE INDEX credentials_by_family ON credentials (family);
CREATE INDEX credentials_by_parent ON credentials (parent_id);

CREATE TABLE oauth_clients (
    id {{id}},
    client_id {{key}} NOT NULL UNIQUE,
    name TEXT NOT NULL,
    homepage TEXT,
    is_public BOOLEAN NOT NULL,
    is_builtin BOOLEAN NOT NULL DEFAULT FALSE,
    secret_hash {{blob}},
    redirect_uris TEXT NOT NULL DEFAULT '[]',
    allows_device BOOLEAN NOT NULL DEFAULT FALSE,
    owner_id BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    CHECK (is_public = TRUE OR secret_hash IS NOT NULL)
);

-- The client that every GitHub CLI carries. Its secret is published, so it is a public client and has none here.
INSERT INTO oauth_clients (client_id, name, homepage, is_public, is_builtin, redirect_uris, allows_device, created_at)
VALUES ('178c6fc778ccc68e1d6a', 'GitHub CLI', 'https://cli.github.com', TRUE, TRUE, '[]', TRUE, 0);

CREATE TABLE device_codes (
    id {{id}},
    device_hash {{blob}} NOT NULL UNIQUE,
    user_code_hash {{blob}} NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    wants_refresh BOOLEAN NOT NULL DEFAULT FALSE,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'consumed')),
    account_id BIGINT,
    account_kind TEXT CHECK (account_kind = 'human'),
    approver_credential_id BIGINT REFERENCES credentials (id),
    ip TEXT,
    user_agent TEXT,
    poll_interval BIGINT NOT NULL,
    last_polled_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_at BIGINT,
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);

CREATE TABLE authorization_codes (
    hash {{blob}} PRIMARY KEY,
    client_id TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    challenge TEXT NOT NULL,
    family {{key}} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT
);

-- What a person has agreed to give a client.
CREATE TABLE client_consents (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, client_id)
);
