-- The repository that a network of forks began with; none in that one.
ALTER TABLE repositories ADD COLUMN source_id BIGINT REFERENCES repositories (id) ON DELETE SET NULL;
CREATE INDEX repositories_by_source ON repositories (source_id);
