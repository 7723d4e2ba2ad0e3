-- 案件: what people make of alerts: inquiry, reply, conclusion, rectification; and the trail of it, which stays.

-- Who asks, by the session's token: nobody writes into the trail under another name.
CREATE FUNCTION monitor.actor() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT (SELECT p.actor FROM auth.present() AS p) $$;

-- Whether the session reads what is not meant for the unit: people of monitoring, and processes of every division.
CREATE FUNCTION monitor.reads_notes() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT coalesce((SELECT 'monitor.read' = ANY (p.permissions) OR 'monitor.handle' = ANY (p.permissions)
                            OR (p.divisions IS NULL AND p.permissions = '{}')
                       FROM auth.present() AS p WHERE p.actor IS NOT NULL), false)
$$;

CREATE TABLE monitor.case_file (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year      smallint    NOT NULL,
    division         text        NOT NULL,
    agency_code      text        NOT NULL,
    -- What all its alerts are about.
    subject          text        NOT NULL CHECK (subject IN ('payment', 'held', 'indicator')),
    subject_id       bigint      NOT NULL,
    state            text        NOT NULL DEFAULT 'looking' CHECK (state IN
                     ('looking', 'inquired', 'replied', 'normal', 'violation', 'rectifying', 'rectified', 'closed')),
    -- Counts its events: whoever moves it names the one he saw.
    revision         integer     NOT NULL DEFAULT 1 CHECK (revision > 0),
    -- Whose it is; '': anybody's in its division, after it was handed down.
    handler          text        NOT NULL,
    level            text        NOT NULL CHECK (level IN ('yellow', 'orange', 'red')),
    escalation       smallint    NOT NULL DEFAULT 0 CHECK (escalation BETWEEN 0 AND 3),
    needs_attachment boolean     NOT NULL DEFAULT false,
    due_at           timestamptz,
    -- The due moment whose passing was already noted.
    overdue_of       timestamptz,
    snoozed_until    timestamptz,
    -- The unit sees a case from its first inquiry on.
    asked_at         timestamptz,
    conclusion       text        NOT NULL DEFAULT '' CHECK (conclusion IN ('', 'normal', 'violation')),
    concluded_by     text,
    concluded_at     timestamptz,
    closed_by        text,
    closed_at        timestamptz,
    handed_down_by   text,
    opened_by        text        NOT NULL CHECK (opened_by <> ''),
    opened_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- Of the asking that opened it: asked again after a broken connection, it finds this case.
    opened_key       uuid        NOT NULL UNIQUE,
    -- The end of the trail, set by the trail itself; a trail cut short shows.
    last_n           integer     NOT NULL DEFAULT 0,
    last_hash        bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(last_hash) = 32),
    CHECK ((conclusion = '') = (concluded_by IS NULL) AND (conclusion = '') = (concluded_at IS NULL)),
    CHECK ((state = 'closed') = (closed_by IS NOT NULL) AND (state = 'closed') = (closed_at IS NOT NULL)),
    CHECK (conclusion = CASE WHEN state IN ('looking', 'inquired', 'replied') THEN ''
                             WHEN state = 'normal' THEN 'normal'
                             WHEN state IN ('violation', 'rectifying', 'rectified') THEN 'violation'
                             ELSE conclusion END),
    CHECK (state <> 'closed' OR conclusion <> ''),
    CONSTRAINT case_two_people CHECK (conclusion <> 'violation' OR closed_by <> concluded_by)
);
-- Alerts of one record make one case, as long as it is open.
CREATE UNIQUE INDEX case_of_subject ON monitor.case_file (subject, subject_id) WHERE state <> 'closed';
CREATE INDEX case_of_books ON monitor.case_file (division, fiscal_year, id);
CREATE INDEX case_of_handler ON monitor.case_file (handler, id) WHERE state <> 'closed';
CREATE INDEX case_of_agency ON monitor.case_file (agency_code, id);
CREATE INDEX case_due ON monitor.case_file (due_at) WHERE state <> 'closed';
CREATE INDEX case_snoozed ON monitor.case_file (snoozed_until) WHERE snoozed_until IS NOT NULL;
CALL auth.protect('monitor.case_file', 'agency_code');

CREATE FUNCTION monitor.case_moves() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'looking' OR NEW.revision <> 1 THEN
            RAISE EXCEPTION 'a case begins with looking' USING ERRCODE = 'JC008';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.fiscal_year, NEW.agency_code, NEW.subject, NEW.subject_id, NEW.opened_by, NEW.opened_at,
        NEW.opened_key) IS DISTINCT FROM (OLD.id, OLD.fiscal_year, OLD.agency_code, OLD.subject, OLD.subject_id,
        OLD.opened_by, OLD.opened_at, OLD.opened_key)
       OR NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
       OR (OLD.state = 'closed' AND NEW.revision <> OLD.revision)
       OR (OLD.conclusion <> '' AND (NEW.conclusion, NEW.concluded_by) <> (OLD.conclusion, OLD.concluded_by)) THEN
        RAISE EXCEPTION 'this of a case never changes' USING ERRCODE = 'JC008';
    END IF;
    -- Everything but the end of the trail changes with an event.
    IF NEW.revision = OLD.revision
       AND to_jsonb(NEW) - 'last_n' - 'last_hash' <> to_jsonb(OLD) - 'last_n' - 'last_hash' THEN
        RAISE EXCEPTION 'a case changes with an event only' USING ERRCODE = 'JC008';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('looking', 'inquired'), ('looking', 'normal'), ('inquired', 'replied'), ('replied', 'inquired'),
        ('replied', 'normal'), ('replied', 'violation'), ('violation', 'rectifying'), ('rectifying', 'rectified'),
        ('rectified', 'rectifying'), ('rectified', 'closed'), ('normal', 'closed')) THEN
        RAISE EXCEPTION 'no way from % to %', OLD.state, NEW.state USING ERRCODE = 'JC008';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER moves BEFORE INSERT OR UPDATE ON monitor.case_file
    FOR EACH ROW EXECUTE FUNCTION monitor.case_moves();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON monitor.case_file
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();
ALTER TABLE monitor.case_file ENABLE ALWAYS TRIGGER moves;
ALTER TABLE monitor.case_file ENABLE ALWAYS TRIGGER never_removed;

-- 预警归案: an alert belongs to one case at most. Its facts are copied, since a county sees no city's alerts.
CREATE TABLE monitor.case_alert (
    alert_id    bigint      PRIMARY KEY REFERENCES monitor.alert,
    case_id     bigint      NOT NULL REFERENCES monitor.case_file,
    -- Of the alert: whoever sees that knows that it is taken, wherever its case was handed.
    division    text        NOT NULL,
    agency_code text        NOT NULL,
    rule        text        NOT NULL,
    version     integer     NOT NULL,
    stage       text        NOT NULL,
    level       text        NOT NULL,
    disposal    text        NOT NULL,
    as_of       date        NOT NULL,
    amount      bigint      NOT NULL,
    found_at    timestamptz NOT NULL
);
CREATE INDEX case_alert_of ON monitor.case_alert (case_id, alert_id);
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.case_alert
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();
ALTER TABLE monitor.case_alert ENABLE ALWAYS TRIGGER never_changed;

-- 案件轨迹. Rows are added and never changed; each holds the hash of the one before.
CREATE TABLE monitor.case_event (
    case_id         bigint      NOT NULL REFERENCES monitor.case_file,
    n               integer     NOT NULL CHECK (n > 0),
    action          text        NOT NULL CHECK (action ~ '^[a-z_]{2,40}$'),
    actor           text        NOT NULL CHECK (actor <> ''),
    at              timestamptz NOT NULL,
    from_state      text        NOT NULL,
    to_state        text        NOT NULL,
    text            text        NOT NULL DEFAULT '' CHECK (length(text) <= 4000),
    -- What it set: a due date, the next handler, the county.
    detail          jsonb       NOT NULL DEFAULT '{}' CHECK (octet_length(detail::text) <= 4000),
    -- SHA-256 and name of each attachment.
    files           text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(files) <= 5),
    visible_to_unit boolean     NOT NULL DEFAULT false,
    prev_hash       bytea       NOT NULL CHECK (length(prev_hash) = 32),
    hash            bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (case_id, n)
);

CREATE FUNCTION monitor.event_hash(e monitor.case_event) RETURNS bytea
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$
    SELECT sha256(e.prev_hash || convert_to(jsonb_build_array(
        e.case_id, e.n, e.action, e.actor, extract(epoch FROM e.at), e.from_state, e.to_state, e.text, e.detail,
        to_jsonb(e.files), e.visible_to_unit)::text, 'UTF8'))
$$;

-- Number, time, name and hashes are the trail's own, whatever a statement says.
CREATE FUNCTION monitor.chain_event() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    found monitor.case_file;
BEGIN
    SELECT * INTO found FROM monitor.case_file AS c WHERE c.id = NEW.case_id FOR UPDATE;
    NEW.actor := monitor.actor();
    IF found.id IS NULL OR NEW.actor IS NULL OR found.last_n + 1 <> found.revision THEN
        RAISE EXCEPTION 'an event goes with a change of its case' USING ERRCODE = 'JC008';
    END IF;
    IF NEW.to_state <> found.state THEN
        RAISE EXCEPTION 'the event says %, the case %', NEW.to_state, found.state USING ERRCODE = 'JC008';
    END IF;
    NEW.n := found.revision;
    NEW.at := clock_timestamp();
    NEW.prev_hash := found.last_hash;
    NEW.hash := monitor.event_hash(NEW);
    UPDATE monitor.case_file SET last_n = NEW.n, last_hash = NEW.hash WHERE id = NEW.case_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER chained BEFORE INSERT ON monitor.case_event FOR EACH ROW EXECUTE FUNCTION monitor.chain_event();
CREATE TRIGGER final BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.case_event
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();
ALTER TABLE monitor.case_event ENABLE ALWAYS TRIGGER chained;
ALTER TABLE monitor.case_event ENABLE ALWAYS TRIGGER final;

-- No change of a case is committed without its event.
CREATE FUNCTION monitor.case_told() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT FROM monitor.case_file AS c WHERE c.id = NEW.id AND c.last_n <> c.revision) THEN
        RAISE EXCEPTION 'case % changed without an event', NEW.id USING ERRCODE = 'JC008';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER told AFTER INSERT OR UPDATE ON monitor.case_file
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION monitor.case_told();

CREATE TABLE monitor.case_attachment (
    id      bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint  NOT NULL,
    n       integer NOT NULL,
    name    text    NOT NULL CHECK (length(name) BETWEEN 1 AND 150 AND name !~ '[[:cntrl:]/\\]'),
    kind    text    NOT NULL CHECK (kind IN ('pdf', 'png', 'jpg', 'xlsx', 'docx', 'txt')),
    sha256  bytea   NOT NULL,
    bytes   bytea   NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 5242880),
    CHECK (sha256 = sha256(bytes)),
    FOREIGN KEY (case_id, n) REFERENCES monitor.case_event
);
CREATE INDEX case_attachment_of ON monitor.case_attachment (case_id, n, id);
-- Compressed already, most of them.
ALTER TABLE monitor.case_attachment ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON monitor.case_attachment
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.refuse_change();
ALTER TABLE monitor.case_attachment ENABLE ALWAYS TRIGGER never_changed;

-- Whoever sees the case sees its parts, wherever it was handed; a unit's people no internal notes.
CALL auth.protect('monitor.case_alert', 'agency_code');
CREATE POLICY of_case ON monitor.case_alert
    USING (EXISTS (SELECT FROM monitor.case_file AS c WHERE c.id = case_id));
ALTER TABLE monitor.case_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE monitor.case_event FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON monitor.case_event
    USING (EXISTS (SELECT FROM monitor.case_file AS c WHERE c.id = case_id)
           AND (visible_to_unit OR (SELECT monitor.reads_notes())));
ALTER TABLE monitor.case_attachment ENABLE ROW LEVEL SECURITY;
ALTER TABLE monitor.case_attachment FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON monitor.case_attachment
    USING (EXISTS (SELECT FROM monitor.case_event AS e WHERE (e.case_id, e.n)
                   = (case_attachment.case_id, case_attachment.n)));

-- What waits to be taken, the most urgent and oldest first.
CREATE INDEX alert_by_urgency ON monitor.alert ((CASE level WHEN 'red' THEN 0 WHEN 'orange' THEN 1 ELSE 2 END), id)
    WHERE NOT shadow;
CREATE INDEX alert_of_subject ON monitor.alert (subject, subject_id) WHERE NOT shadow;
