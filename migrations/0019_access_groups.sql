-- What binds everybody who acts in an organization's repositories, human or agent: at most this, whatever a role gives.
CREATE TABLE access_groups (
    id {{id}},
    organization_id BIGINT NOT NULL REFERENCES accounts (id),
    name {{key}} NOT NULL,
    description TEXT,
    ceiling TEXT NOT NULL,
    standing_access TEXT NOT NULL CHECK (standing_access IN ('read', 'full')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);

-- Who was put into a group. Whoever is in none of an organization is in `members` or `default`, without a row.
CREATE TABLE access_group_members (
    group_id BIGINT NOT NULL REFERENCES access_groups (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    added_by BIGINT NOT NULL REFERENCES accounts (id),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, account_id)
);
CREATE INDEX access_group_members_of_account ON access_group_members (account_id);

INSERT INTO access_groups (organization_id, name, ceiling, standing_access, created_at, updated_at)
SELECT account_id, 'members', '{"permission":"admin"}', 'full', 0, 0 FROM organizations;
INSERT INTO access_groups (organization_id, name, ceiling, standing_access, created_at, updated_at)
SELECT account_id, 'default', '{"permission":"write"}', 'full', 0, 0 FROM organizations;

-- Whose rights an agent uses instead of its own, and what it may have at most, its own or theirs.
ALTER TABLE agents ADD COLUMN delegator_id BIGINT REFERENCES accounts (id);
ALTER TABLE agents ADD COLUMN ceiling TEXT;
