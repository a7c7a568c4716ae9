-- Accounts share one name space: a login is a human, an agent or an organization.
CREATE TABLE accounts (
    id {{id}},
    kind TEXT NOT NULL CHECK (kind IN ('human', 'agent', 'organization')),
    login TEXT NOT NULL,
    login_key {{key}} NOT NULL UNIQUE,
    name TEXT,
    email TEXT,
    description TEXT,
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'deleted')),
    status_reason TEXT,
    is_site_admin BOOLEAN NOT NULL DEFAULT FALSE,
    epoch BIGINT NOT NULL DEFAULT 0,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (id, kind),
    CHECK (kind = 'human' OR is_site_admin = FALSE)
);

-- Only humans have passwords.
CREATE TABLE passwords (
    account_id BIGINT PRIMARY KEY,
    account_kind TEXT NOT NULL DEFAULT 'human' CHECK (account_kind = 'human'),
    hash TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);

-- One-time links for people: the first administrator's (no account yet) and setting a password.
CREATE TABLE account_links (
    hash {{blob}} PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('setup', 'password')),
    account_id BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT
);

-- Accounts known to a host or provider that authenticates them.
CREATE TABLE external_identities (
    provider {{key}} NOT NULL,
    subject {{key}} NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);

CREATE TABLE web_sessions (
    id {{id}},
    hash {{blob}} NOT NULL UNIQUE,
    account_id BIGINT NOT NULL,
    account_kind TEXT NOT NULL DEFAULT 'human' CHECK (account_kind = 'human'),
    authenticated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    ip TEXT,
    user_agent TEXT,
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX web_sessions_by_account ON web_sessions (account_id);

CREATE TABLE public_keys (
    id {{id}},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    usage TEXT NOT NULL CHECK (usage IN ('authentication', 'signing')),
    title TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint {{key}} NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (usage, fingerprint)
);
CREATE INDEX public_keys_by_account ON public_keys (account_id);

-- Facts about the installation itself: id, key fingerprint, sealed registration key.
CREATE TABLE settings (
    name {{key}} PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Counters of attempts in a window, for whatever must be slowed down on all nodes alike.
CREATE TABLE throttles (
    name {{key}} PRIMARY KEY,
    window_start BIGINT NOT NULL,
    attempts BIGINT NOT NULL
);
