-- Append-only. Rows outlive what they speak of, so nothing here refers to another table.
CREATE TABLE audit_events (
    id {{id}},
    created_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('allow', 'deny')),
    reason TEXT,
    actor_id BIGINT,
    actor_login TEXT,
    actor_kind TEXT,
    acting_id BIGINT,
    acting_login TEXT,
    credential_id BIGINT,
    credential_kind TEXT,
    token_fingerprint TEXT,
    repository_id BIGINT,
    organization_id BIGINT,
    subject_id BIGINT,
    request_id TEXT NOT NULL,
    surface TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    details TEXT NOT NULL,
    content_hash {{blob}} NOT NULL
);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE INDEX audit_events_by_acting ON audit_events (acting_id, id) WHERE acting_id IS NOT NULL;
CREATE INDEX audit_events_by_repository ON audit_events (repository_id, id);
CREATE INDEX audit_events_by_organization ON audit_events (organization_id, id);

-- Work to be done after the transaction that asked for it; at least once.
CREATE TABLE jobs (
    id {{id}},
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    run_after BIGINT NOT NULL,
    claimed_until BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (run_after, id);
