-- What an event says of authority, and what came of it. `version` says what its content hash covers: see
-- docs/audit.md. Personal fields (ip, user_agent, personal) enter the hash of version 2 only as a commitment with a
-- salt, so that they can be erased.
ALTER TABLE audit_events ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE audit_events ADD COLUMN delegator_id BIGINT;
ALTER TABLE audit_events ADD COLUMN delegator_login TEXT;
ALTER TABLE audit_events ADD COLUMN task TEXT;
ALTER TABLE audit_events ADD COLUMN grant_id TEXT;
ALTER TABLE audit_events ADD COLUMN runtime TEXT;
ALTER TABLE audit_events ADD COLUMN resource TEXT;
ALTER TABLE audit_events ADD COLUMN side_effect TEXT;
ALTER TABLE audit_events ADD COLUMN personal TEXT;
ALTER TABLE audit_events ADD COLUMN personal_salt {{blob}};
ALTER TABLE audit_events ADD COLUMN personal_commitment {{blob}};
CREATE INDEX audit_events_by_delegator ON audit_events (delegator_id, id) WHERE delegator_id IS NOT NULL;
CREATE INDEX audit_events_by_task ON audit_events (task, id) WHERE task IS NOT NULL;
CREATE INDEX audit_events_by_grant ON audit_events (grant_id, id) WHERE grant_id IS NOT NULL;
CREATE INDEX audit_events_by_subject ON audit_events (subject_id, id) WHERE subject_id IS NOT NULL;

-- Events that no seal covers yet. The database itself enters each one, in the transaction that writes the event: ids may
-- commit out of order, and none can be passed over.
CREATE TABLE audit_unsealed (
    event_id {{id}}
);
INSERT INTO audit_unsealed (event_id) SELECT id FROM audit_events ORDER BY id;

-- The chain: each link's hash is SHA-256 of the hash before it and of the event's content hash.
CREATE TABLE audit_seals (
    position {{id}},
    event_id BIGINT NOT NULL UNIQUE,
    hash {{blob}} NOT NULL
);

-- The end of the chain, and who may lengthen it until when.
CREATE TABLE audit_chain (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    chain_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    hash {{blob}} NOT NULL,
    holder TEXT,
    held_until BIGINT
);

-- What the end of the chain was at a time, signed.
CREATE TABLE audit_checkpoints (
    id {{id}},
    chain_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    hash {{blob}} NOT NULL,
    created_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    signature {{blob}} NOT NULL
);
CREATE INDEX audit_checkpoints_by_position ON audit_checkpoints (position);

-- Through which checkpoint each place outside has them.
CREATE TABLE audit_sinks (
    name {{key}} PRIMARY KEY,
    checkpoint_id BIGINT NOT NULL
);

{{sqlite}}
CREATE TRIGGER audit_events_queued AFTER INSERT ON audit_events BEGIN
    INSERT INTO audit_unsealed (event_id) VALUES (NEW.id);
END;
CREATE TRIGGER audit_events_unchanged BEFORE UPDATE OF id, created_at, event, decision, reason, actor_id, actor_login,
    actor_kind, acting_id, acting_login, credential_id, credential_kind, token_fingerprint, repository_id,
    organization_id, subject_id, request_id, surface, details, content_hash, version, delegator_id, delegator_login, task,
    grant_id, runtime, resource, side_effect, personal_commitment ON audit_events BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_events_erased BEFORE UPDATE OF ip, user_agent, personal, personal_salt ON audit_events
    WHEN OLD.version = 1 OR NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL OR NEW.personal IS NOT NULL
        OR NEW.personal_salt IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'personal fields of the audit log are erased, never changed');
END;
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_seals_unchanged BEFORE UPDATE ON audit_seals BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_seals_kept BEFORE DELETE ON audit_seals BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_checkpoints_unchanged BEFORE UPDATE ON audit_checkpoints BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
{{end}}
{{postgres}}
CREATE FUNCTION audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_unsealed (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_events_queued AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_queue();
CREATE TRIGGER audit_events_unchanged BEFORE UPDATE OF id, created_at, event, decision, reason, actor_id, actor_login,
    actor_kind, acting_id, acting_login, credential_id, credential_kind, token_fingerprint, repository_id,
    organization_id, subject_id, request_id, surface, details, content_hash, version, delegator_id, delegator_login, task,
    grant_id, runtime, resource, side_effect, personal_commitment ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_events_erased BEFORE UPDATE OF ip, user_agent, personal, personal_salt ON audit_events FOR EACH ROW
    WHEN (OLD.version = 1 OR NEW.ip IS NOT NULL OR NEW.user_agent IS NOT NULL OR NEW.personal IS NOT NULL
        OR NEW.personal_salt IS NOT NULL)
    EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_events_kept BEFORE DELETE OR TRUNCATE ON audit_events FOR EACH STATEMENT
    EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_seals_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals FOR EACH STATEMENT
    EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints FOR EACH STATEMENT
    EXECUTE FUNCTION audit_refuse();
{{end}}
