-- Authenticator apps of people. The seed is sealed; the last step that was used is not good again.
CREATE TABLE second_factors (
    account_id BIGINT PRIMARY KEY,
    account_kind TEXT NOT NULL DEFAULT 'human' CHECK (account_kind = 'human'),
    seed TEXT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);

-- What opens the account once when the app is lost.
CREATE TABLE recovery_codes (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    hash {{blob}} NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account_id, hash)
);
