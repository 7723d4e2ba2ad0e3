-- 财政资金动态监控: rules as versioned data, which of them are in force, and what they found. Amounts in fen.
CREATE SCHEMA monitor;

-- A rule's version: the text of its file, once and for good. A draft changes until it is put into an edition.
CREATE TABLE monitor.rule_version (
    rule         text        NOT NULL CHECK (rule ~ '^R[1-9][0-9]{0,3}$'),
    version      integer     NOT NULL CHECK (version > 0),
    -- The YAML file, as its author wrote it.
    source       text        NOT NULL CHECK (octet_length(source) BETWEEN 1 AND 65536),
    state        text        NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'discarded')),
    -- Counts a draft's changes, so that what is published is what the checker saw.
    revision     integer     NOT NULL DEFAULT 1 CHECK (revision > 0),
    made_by      text        NOT NULL CHECK (made_by <> ''),
    changed_by   text[]      NOT NULL DEFAULT '{}',
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_by text,
    published_at timestamptz,
    PRIMARY KEY (rule, version),
    CHECK ((state = 'published') = (published_by IS NOT NULL AND published_at IS NOT NULL)),
    CONSTRAINT rule_two_people CHECK (published_by <> made_by AND published_by <> ALL (changed_by))
);
-- One draft of a rule at a time.
CREATE UNIQUE INDEX rule_one_draft ON monitor.rule_version (rule) WHERE state = 'draft';

CREATE FUNCTION monitor.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION 'monitor.% is never changed', TG_TABLE_NAME USING ERRCODE = 'JC002'; END $$;
CREATE TRIGGER published_stays BEFORE UPDATE ON monitor.rule_version
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION monitor.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON monitor.rule_version
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();

-- 规则集: the rules in force together. Each publication makes the next; a payment names the one that judged it.
CREATE TABLE monitor.edition (
    number       integer     PRIMARY KEY CHECK (number > 0),
    -- SHA-256 of everything in it: what a process has compiled is found by it.
    digest       bytea       NOT NULL CHECK (length(digest) = 32),
    reason       text        NOT NULL CHECK (reason <> ''),
    published_by text        NOT NULL CHECK (published_by <> ''),
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE monitor.edition_rule (
    edition integer NOT NULL REFERENCES monitor.edition,
    rule    text    NOT NULL,
    version integer NOT NULL,
    -- 试运行: it runs beside the live version, alerts nobody and holds nothing.
    shadow  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (edition, rule, version),
    FOREIGN KEY (rule, version) REFERENCES monitor.rule_version
);
CREATE UNIQUE INDEX edition_one_live ON monitor.edition_rule (edition, rule) WHERE NOT shadow;
CREATE UNIQUE INDEX edition_one_shadow ON monitor.edition_rule (edition, rule) WHERE shadow;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.edition
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.edition_rule
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();

-- 预警: a rule fired. Never changed; what people make of it is a case (monitor.case), which names it.
CREATE TABLE monitor.alert (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year  smallint    NOT NULL,
    division     text        NOT NULL,
    agency_code  text        NOT NULL,
    -- What it is about: a posted payment, an order that was held or forbidden, or an indicator's pace.
    subject      text        NOT NULL CHECK (subject IN ('payment', 'held', 'indicator')),
    subject_id   bigint      NOT NULL,
    -- The payment's date, or the day at whose end the pace was looked at.
    as_of        date        NOT NULL,
    amount       bigint      NOT NULL,
    rule         text        NOT NULL,
    version      integer     NOT NULL,
    edition      integer     NOT NULL,
    -- As the rule's version says.
    stage        text        NOT NULL CHECK (stage IN ('before', 'during', 'after')),
    level        text        NOT NULL CHECK (level IN ('yellow', 'orange', 'red')),
    disposal     text        NOT NULL
                 CHECK (disposal IN ('record', 'warn', 'warn_with_attachment', 'hold', 'forbid')),
    shadow       boolean     NOT NULL DEFAULT false,
    found_by     text        NOT NULL CHECK (found_by IN ('posting', 'sweep')),
    found_at     timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE UNIQUE INDEX alert_once ON monitor.alert (subject_id, subject, rule, as_of) WHERE NOT shadow;
CREATE UNIQUE INDEX alert_shadow_once ON monitor.alert (subject_id, subject, rule, as_of, version) WHERE shadow;
CREATE INDEX alert_of_books ON monitor.alert (division, fiscal_year, id);
CREATE INDEX alert_of_rule ON monitor.alert (rule, version, id);
CALL auth.protect('monitor.alert', 'agency_code');
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.alert
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();

-- Payments that were posted while rules took too long to judge them: to be swept. Payments go on, rules catch up.
CREATE TABLE monitor.unjudged (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    edition  integer     NOT NULL,
    subject  text        NOT NULL,
    division text        NOT NULL,
    ids      bigint[]    NOT NULL,
    why      text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    swept_at timestamptz
);
CREATE INDEX unjudged_waiting ON monitor.unjudged (id) WHERE swept_at IS NULL;
CALL auth.protect('monitor.unjudged');
