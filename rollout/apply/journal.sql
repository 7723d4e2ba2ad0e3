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

-- Sites that go together. All of a run are written before the first begins.
CREATE TABLE IF NOT EXISTS wave (
    run        TEXT NOT NULL REFERENCES run (id),
    number     INTEGER NOT NULL,
    name       TEXT NOT NULL,     -- pilot, canary, wave 1 …
    sites      TEXT NOT NULL,     -- JSON list
    soak       INTEGER NOT NULL,  -- seconds that they are watched
    started_at TEXT,
    watched_at TEXT,              -- since when
    ended_at   TEXT,
    outcome    TEXT,              -- done, failed, stopped, back
    detail     TEXT,
    PRIMARY KEY (run, number)
) STRICT;

-- What must hold while they are watched: each gate at each look.
CREATE TABLE IF NOT EXISTS gate (
    run      TEXT NOT NULL REFERENCES run (id),
    wave     INTEGER NOT NULL,
    site     TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    gate     TEXT NOT NULL,
    open     INTEGER NOT NULL,
    figure   TEXT NOT NULL,
    PRIMARY KEY (run, site, taken_at, gate)
) STRICT;

-- What people wanted of a run that was going on.
CREATE TABLE IF NOT EXISTS wish (
    id     INTEGER PRIMARY KEY,
    run    TEXT NOT NULL REFERENCES run (id),
    wanted TEXT NOT NULL,         -- pause, resume, stop
    who    TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     TEXT NOT NULL
) STRICT;
