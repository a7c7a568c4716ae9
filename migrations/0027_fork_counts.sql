-- How many repositories were forked from this one; of a source, how many its network has beside it.
ALTER TABLE repositories ADD COLUMN fork_count BIGINT NOT NULL DEFAULT 0;
UPDATE repositories SET fork_count =
    (SELECT COUNT(*) FROM repositories f WHERE f.source_id = repositories.id OR f.parent_id = repositories.id)
    WHERE id IN (SELECT p.parent_id FROM repositories p) OR id IN (SELECT s.source_id FROM repositories s);
