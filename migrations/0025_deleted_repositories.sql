-- Repositories that were deleted, until their files are removed. Nothing that serves anybody reads these tables.
CREATE TABLE deleted_repositories (
    -- The id that it had, and that its directory is named by.
    id BIGINT PRIMARY KEY,
    owner_id BIGINT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    visibility TEXT NOT NULL,
    default_branch TEXT NOT NULL,
    settings TEXT NOT NULL,
    description TEXT,
    -- Separated by spaces.
    topics TEXT,
    archived_at BIGINT,
    size_bytes BIGINT NOT NULL,
    created_by BIGINT REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    pushed_at BIGINT,
    ref_generation BIGINT NOT NULL,
    gc_epoch BIGINT NOT NULL,
    rewrites BIGINT NOT NULL,
    rebuilds BIGINT NOT NULL,
    deleted_by BIGINT REFERENCES accounts (id),
    deleted_at BIGINT NOT NULL,
    remove_after BIGINT NOT NULL
);

CREATE TABLE deleted_refs (
    repository_id BIGINT NOT NULL REFERENCES deleted_repositories (id) ON DELETE CASCADE,
    name {{key}} NOT NULL,
    object_id {{blob}} NOT NULL,
    PRIMARY KEY (repository_id, name)
);

CREATE TABLE deleted_packs (
    repository_id BIGINT NOT NULL REFERENCES deleted_repositories (id) ON DELETE CASCADE,
    name {{key}} NOT NULL,
    object_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    visible_at BIGINT,
    is_cruft BOOLEAN NOT NULL,
    PRIMARY KEY (repository_id, name)
);
