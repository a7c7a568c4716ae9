CREATE TABLE repositories (
    id {{id}},
    owner_id BIGINT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    name_key {{key}} NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'internal', 'private')),
    default_branch TEXT NOT NULL,
    settings TEXT NOT NULL,
    -- A copy of the description in the settings, to search by.
    description TEXT,
    parent_id BIGINT REFERENCES repositories (id) ON DELETE SET NULL,
    archived_at BIGINT,
    size_bytes BIGINT NOT NULL DEFAULT 0,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    pushed_at BIGINT,
    UNIQUE (owner_id, name_key)
);
CREATE INDEX repositories_by_push ON repositories (owner_id, pushed_at);
CREATE INDEX repositories_by_parent ON repositories (parent_id);

-- Names a repository had; a new repository that takes the name ends the redirect.
CREATE TABLE repository_redirects (
    owner_id BIGINT NOT NULL REFERENCES accounts (id),
    name_key {{key}} NOT NULL,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner_id, name_key)
);
CREATE INDEX repository_redirects_by_repository ON repository_redirects (repository_id);

CREATE TABLE repository_topics (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    topic {{key}} NOT NULL,
    PRIMARY KEY (repository_id, topic)
);
CREATE INDEX repository_topics_by_topic ON repository_topics (topic);

CREATE TABLE collaborators (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL,
    account_kind TEXT NOT NULL CHECK (account_kind IN ('human', 'agent')),
    permission BIGINT NOT NULL CHECK (permission BETWEEN 1 AND 5),
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, account_id),
    FOREIGN KEY (account_id, account_kind) REFERENCES accounts (id, kind)
);
CREATE INDEX collaborators_by_account ON collaborators (account_id);

CREATE TABLE team_repositories (
    team_id BIGINT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    permission BIGINT NOT NULL CHECK (permission BETWEEN 1 AND 5),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, repository_id)
);
CREATE INDEX team_repositories_by_repository ON team_repositories (repository_id);

CREATE TABLE labels (
    id {{id}},
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    color TEXT NOT NULL,
    description TEXT,
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (repository_id, name_key)
);
