-- What waits for a human, and what became of it: ref changes, which the forge makes, and requests, which are made again. Objects that a held push brought are kept by refs below
-- refs/forge/held/ID/, which nobody sees.
CREATE TABLE approvals (
    id {{key}} PRIMARY KEY,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'cancelled', 'consumed', 'failed')),
    requester_id BIGINT NOT NULL REFERENCES accounts (id),
    acting_id BIGINT REFERENCES accounts (id),
    credential_id BIGINT NOT NULL REFERENCES credentials (id),
    grant_id {{key}} REFERENCES task_grants (id),
    repository_id BIGINT REFERENCES repositories (id) ON DELETE SET NULL,
    organization_id BIGINT REFERENCES accounts (id),
    -- What was asked for, as JSON, and the digest of who asks for what.
    asked TEXT NOT NULL,
    digest TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by BIGINT REFERENCES accounts (id),
    decided_at BIGINT,
    comment TEXT,
    ended_at BIGINT,
    outcome TEXT,
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);
-- The same request waits once.
CREATE UNIQUE INDEX approvals_open_by_digest ON approvals (digest) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_open ON approvals (expires_at) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_by_requester ON approvals (requester_id, created_at);
CREATE INDEX approvals_by_repository ON approvals (repository_id, created_at);
