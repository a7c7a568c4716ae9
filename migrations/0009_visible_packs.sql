-- How often a visible ref lost history: by a deletion, or by moving to something that does not contain what it pointed to.
ALTER TABLE repository_counters ADD COLUMN rewrites BIGINT NOT NULL DEFAULT 0;
-- How often packs were sorted anew: then objects that no ref reached may be gone.
ALTER TABLE repository_counters ADD COLUMN rebuilds BIGINT NOT NULL DEFAULT 0;

-- The number of rewrites at which the pack had exactly what the visible refs reached. As long as that is the number, it holds
-- nothing that a reader of the repository may not have.
ALTER TABLE packs ADD COLUMN visible_at BIGINT;
-- Does it hold only what no ref reached?
ALTER TABLE packs ADD COLUMN is_cruft BOOLEAN NOT NULL DEFAULT FALSE;
