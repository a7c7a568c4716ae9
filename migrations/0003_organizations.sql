CREATE TABLE organizations (
    account_id BIGINT PRIMARY KEY,
    account_kind TEXT NOT NULL DEFAULT 'organization' CHECK (account_kind = 'organization'),
    default_permission BIGINT CHECK (default_permission BETWEEN 1 AND 5),
    members_can_create_repositories BOOLEAN NOT NULL DEFAULT TRUE,
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);

-- An agent is never an owner.
CREATE TABLE organization_members (
    organization_id BIGINT NOT NULL REFERENCES organizations (account_id),
    member_id BIGINT NOT NULL,
    member_kind TEXT NOT NULL CHECK (member_kind IN ('human', 'agent')),
    role TEXT NOT NULL CHECK (role IN ('member', 'admin')),
    is_public BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, member_id),
    FOREIGN KEY (member_id, member_kind) REFERENCES accounts (id, kind),
    CHECK (member_kind = 'human' OR role = 'member')
);
CREATE INDEX organization_members_by_member ON organization_members (member_id);

CREATE TABLE teams (
    id {{id}},
    organization_id BIGINT NOT NULL REFERENCES organizations (account_id),
    name TEXT NOT NULL,
    slug {{key}} NOT NULL,
    description TEXT,
    privacy TEXT NOT NULL CHECK (privacy IN ('secret', 'closed')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (organization_id, slug),
    UNIQUE (id, organization_id)
);

-- Who joins a team is a member of its organization.
CREATE TABLE team_members (
    team_id BIGINT NOT NULL,
    organization_id BIGINT NOT NULL,
    member_id BIGINT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('member', 'maintainer')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, member_id),
    FOREIGN KEY (team_id, organization_id) REFERENCES teams (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, member_id)
        REFERENCES organization_members (organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_member ON team_members (member_id);
