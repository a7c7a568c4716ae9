-- Refs are rows; only the ref gate writes them. Kind: 0 branches and tags, 1 pull requests, 2 internal.
CREATE TABLE refs (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name {{key}} NOT NULL,
    -- Equal for names that a case-insensitive file system takes for one another.
    fold_key {{key}} NOT NULL,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 2),
    object_id {{blob}} NOT NULL,
    peeled_id {{blob}},
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name),
    UNIQUE (repository_id, fold_key)
);
-- A push asks whether it builds on a tip.
CREATE INDEX refs_by_object ON refs (repository_id, object_id);

-- What pushes bump, apart from the repository row that API writes touch.
CREATE TABLE repository_counters (
    repository_id BIGINT PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
    ref_generation BIGINT NOT NULL DEFAULT 0,
    gc_epoch BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE packs (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name {{key}} NOT NULL,
    object_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name)
);

-- One row for all ref changes of one request.
CREATE TABLE pushes (
    id {{id}},
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    actor_id BIGINT NOT NULL REFERENCES accounts (id),
    acting_id BIGINT REFERENCES accounts (id),
    credential_id BIGINT,
    door TEXT NOT NULL,
    pack_name TEXT,
    options TEXT NOT NULL DEFAULT '[]',
    request_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX pushes_by_repository ON pushes (repository_id, id);

CREATE TABLE reflog (
    id {{id}},
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    push_id BIGINT NOT NULL REFERENCES pushes (id) ON DELETE CASCADE,
    ref_name {{key}} NOT NULL,
    old_id {{blob}},
    new_id {{blob}},
    actor_id BIGINT NOT NULL REFERENCES accounts (id),
    acting_id BIGINT REFERENCES accounts (id),
    is_forced BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX reflog_by_push ON reflog (push_id, ref_name);
CREATE INDEX reflog_by_ref ON reflog (repository_id, ref_name, id);
