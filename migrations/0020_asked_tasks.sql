-- A task that an agent asks a person to grant, in the device flow or at the authorization endpoint: what is asked for as
-- RFC 9396 has it, which agent asks, and the grant that came of it.
ALTER TABLE device_codes ADD COLUMN authorization_details TEXT;
ALTER TABLE device_codes ADD COLUMN agent_id BIGINT REFERENCES accounts (id);
ALTER TABLE device_codes ADD COLUMN is_consent BOOLEAN;
ALTER TABLE device_codes ADD COLUMN grant_id TEXT REFERENCES task_grants (id);
ALTER TABLE authorization_codes ADD COLUMN agent_id BIGINT REFERENCES accounts (id);
ALTER TABLE authorization_codes ADD COLUMN grant_id TEXT REFERENCES task_grants (id);

-- Authorization requests that clients pushed (RFC 9126) instead of sending them through a browser.
CREATE TABLE pushed_requests (
    hash {{blob}} PRIMARY KEY,
    client_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    authorization_details TEXT,
    agent_id BIGINT REFERENCES accounts (id),
    -- Whether the agent consents by asking.
    is_consent BOOLEAN,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX pushed_requests_over ON pushed_requests (expires_at);
