-- Policies by which an organization delegates without a person each time: agents of a group take tasks within these terms.
CREATE TABLE delegation_policies (
    id {{id}},
    organization_id BIGINT NOT NULL REFERENCES accounts (id),
    name {{key}} NOT NULL,
    -- None once it is removed, so that the group can go too.
    group_id BIGINT REFERENCES access_groups (id),
    terms TEXT NOT NULL,
    -- In seconds.
    longest BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);
-- A name can be used again once its policy is removed; grants remember by which they came.
CREATE UNIQUE INDEX delegation_policies_by_name ON delegation_policies (organization_id, name) WHERE removed_at IS NULL;
CREATE INDEX delegation_policies_of_group ON delegation_policies (group_id) WHERE removed_at IS NULL;

ALTER TABLE task_grants ADD COLUMN policy_id BIGINT REFERENCES delegation_policies (id);
CREATE INDEX task_grants_by_policy ON task_grants (policy_id);
