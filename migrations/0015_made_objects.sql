-- Objects that were made through the API, one row for each request. Until a ref reaches them, nobody but their maker may read
-- them, under the same grant if there was one, and for a day.
CREATE TABLE made_objects (
    id {{id}},
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    grant_id {{key}} REFERENCES task_grants (id),
    -- The ids, one after another.
    object_ids {{blob}} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX made_objects_by_maker ON made_objects (repository_id, account_id, created_at);
CREATE INDEX made_objects_by_time ON made_objects (created_at);
