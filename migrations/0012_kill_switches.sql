-- What was stopped at once, and lifted again. Live ones stop agents wherever they come by.
CREATE TABLE kill_switches (
    id {{key}} PRIMARY KEY,
    scope_kind TEXT NOT NULL CHECK (scope_kind IN ('instance', 'organization', 'owner', 'agent', 'grant', 'task')),
    scope_account_id BIGINT REFERENCES accounts (id),
    scope_text TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    set_by BIGINT NOT NULL REFERENCES accounts (id),
    set_at BIGINT NOT NULL,
    lifted_by BIGINT REFERENCES accounts (id),
    lifted_at BIGINT
);
CREATE INDEX kill_switches_live ON kill_switches (set_at) WHERE lifted_at IS NULL;

-- One row, which every ref change of an agent holds and whoever sets a kill switch waits for.
CREATE TABLE kill_switch_epoch (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
INSERT INTO kill_switch_epoch (id, epoch) VALUES (1, 0);
