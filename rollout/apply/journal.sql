-- The journal of every apply. Rows are added and closed, never changed afterwards and never deleted.
CREATE TABLE IF NOT EXISTS run (
    id              TEXT PRIMARY KEY,      -- when it began (UTC), and chance
    verb            TEXT NOT NULL,         -- apply, rollback, check, unlock …
    release         TEXT,
    serial          INTEGER,
    manifest_sha256 TEXT,
    sites           TEXT NOT NULL,         -- JSON list
    who             TEXT NOT NULL,
    from_host       TEXT NOT NULL,
    pid             INTEGER NOT NULL,
    pid_start       TEXT NOT NULL,
    started_at      TEXT NOT NULL,
    ended_at        TEXT,
    outcome         TEXT,                  -- done, failed, stopped, killed
    error           TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS step (
    run        TEXT NOT NULL REFERENCES run (id),
    site       TEXT NOT NULL,
    number     INTEGER NOT NULL,
    of         INTEGER NOT NULL,
    name       TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    outcome    TEXT,
    detail     TEXT,
    PRIMARY KEY (run, site, number)
) STRICT;

CREATE INDEX IF NOT EXISTS step_site ON step (site, run);

CREATE TABLE IF NOT EXISTS child (
    run        TEXT NOT NULL REFERENCES run (id),
    site       TEXT NOT NULL,
    pid        INTEGER NOT NULL,
    pid_start  TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    PRIMARY KEY (run, pid, pid_start)
) STRICT;
