-- What organizations forbid beyond what rights allow, each a policy in Cedar.
CREATE TABLE organization_policies (
    organization_id BIGINT NOT NULL REFERENCES accounts (id),
    name {{key}} NOT NULL,
    text TEXT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, name)
);

-- Which change was an organization's last; the row stays when the last policy goes, so that every node hears of it.
CREATE TABLE organization_policy_versions (
    organization_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    version BIGINT NOT NULL
);
CREATE INDEX organization_policy_versions_new ON organization_policy_versions (version);

-- One row: how many changes there were. Ref changes hold it and whoever changes a policy waits for them.
CREATE TABLE policy_epoch (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO policy_epoch (id, version) VALUES (1, 0);

-- What was decided lately about what belongs to whom, with the facts: for asking what other policies would have said, and
-- for policies that ask what was refused. Bounded for each owner.
CREATE TABLE decision_log (
    id {{id}},
    owner_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    credential_id BIGINT,
    is_allowed BOOLEAN NOT NULL,
    rule TEXT,
    facts TEXT NOT NULL
);
CREATE INDEX decision_log_of_owner ON decision_log (owner_id, id);
CREATE INDEX decision_log_of_credential ON decision_log (credential_id, created_at) WHERE NOT is_allowed;
