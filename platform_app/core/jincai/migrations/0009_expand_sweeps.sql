-- 事后监控: rules run over history, once they are in force (sweeps) or before they are (back-tests). Amounts in fen.

-- 回扫: the rules in force over a period. What it finds are alerts; run again it finds nothing twice.
CREATE TABLE monitor.sweep (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- A scheduled one names its night, which has no other, however many processes there are.
    night    date        UNIQUE,
    from_day date        NOT NULL,
    to_day   date        NOT NULL CHECK (to_day >= from_day),
    -- Only these; {}: every rule in force.
    rules    text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(rules) <= 200),
    -- In force when it was asked for. Each alert names the one that found it.
    edition  integer     NOT NULL,
    state    text        NOT NULL DEFAULT 'waiting'
             CHECK (state IN ('waiting', 'running', 'done', 'incomplete', 'cancelled', 'failed')),
    -- Rule and version → why it could not be judged; '' → why the whole could not.
    trouble  jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(trouble) = 'object'),
    made_by  text        NOT NULL CHECK (made_by <> ''),
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    begun_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX sweep_unfinished ON monitor.sweep (id) WHERE state IN ('waiting', 'running');

-- One division's records of one kind: judged up to (cursor_day, cursor_id), in the transaction that wrote the alerts.
CREATE TABLE monitor.sweep_part (
    sweep      bigint  NOT NULL REFERENCES monitor.sweep,
    subject    text    NOT NULL,
    division   text    NOT NULL,
    cursor_day date    NOT NULL,
    cursor_id  bigint  NOT NULL,
    -- Records in a transaction; fewer after one took too long.
    size       integer NOT NULL DEFAULT 20000 CHECK (size > 0),
    judged     bigint  NOT NULL DEFAULT 0,
    found      bigint  NOT NULL DEFAULT 0,
    done       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (sweep, subject, division)
);
CALL auth.protect('monitor.sweep_part');

-- 回测: a version of a rule over a period, to see what it would have done. Writes no alerts, and may be deleted.
CREATE TABLE monitor.back_test (
    id       bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule     text             NOT NULL,
    version  integer          NOT NULL,
    -- Of the draft: the text that was tried, since a draft changes.
    revision integer          NOT NULL,
    source   text             NOT NULL CHECK (octet_length(source) BETWEEN 1 AND 65536),
    subject  text             NOT NULL,
    from_day date             NOT NULL,
    to_day   date             NOT NULL CHECK (to_day >= from_day),
    state    text             NOT NULL DEFAULT 'waiting'
             CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
    -- Why it stopped early: the kind of trouble, and PostgreSQL's words if it has any.
    why      text             NOT NULL DEFAULT '',
    detail   text             NOT NULL DEFAULT '',
    -- Spent in the database so far.
    seconds  double precision NOT NULL DEFAULT 0,
    made_by  text             NOT NULL CHECK (made_by <> ''),
    made_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    begun_at timestamptz,
    ended_at timestamptz,
    FOREIGN KEY (rule, version) REFERENCES monitor.rule_version
);
CREATE INDEX back_test_of_rule ON monitor.back_test (rule, id);
CREATE INDEX back_test_unfinished ON monitor.back_test (id) WHERE state IN ('waiting', 'running');

CREATE TABLE monitor.back_test_part (
    back_test  bigint  NOT NULL REFERENCES monitor.back_test ON DELETE CASCADE,
    division   text    NOT NULL,
    cursor_day date    NOT NULL,
    cursor_id  bigint  NOT NULL,
    size       integer NOT NULL DEFAULT 20000 CHECK (size > 0),
    judged     bigint  NOT NULL DEFAULT 0,
    found      bigint  NOT NULL DEFAULT 0,
    done       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (back_test, division)
);
CALL auth.protect('monitor.back_test_part');

-- What it would have fired on; a rule that fires on more than a hundred thousand is stopped.
CREATE TABLE monitor.back_test_hit (
    back_test   bigint   NOT NULL REFERENCES monitor.back_test ON DELETE CASCADE,
    as_of       date     NOT NULL,
    subject_id  bigint   NOT NULL,
    fiscal_year smallint NOT NULL,
    division    text     NOT NULL,
    agency_code text     NOT NULL,
    amount      bigint   NOT NULL,
    -- The rule had held it before it was paid: there is an alert, of the order that was held.
    was_held    boolean  NOT NULL,
    PRIMARY KEY (back_test, as_of, subject_id)
);
CALL auth.protect('monitor.back_test_hit', 'agency_code');
