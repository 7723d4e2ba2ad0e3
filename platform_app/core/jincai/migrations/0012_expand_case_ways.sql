-- 案件: how long each step may take is a site's own; reopening; what a silent unit cannot hold up; a hand-down is one.

-- 办理时限 in days, by step and level. A unit's days are what the form suggests; whoever asks may give others.
CREATE TABLE monitor.case_days (
    step  text     NOT NULL CHECK (step IN ('first_look', 'office', 'inquiry', 'rectification')),
    level text     NOT NULL CHECK (level IN ('yellow', 'orange', 'red')),
    days  smallint NOT NULL CHECK (days BETWEEN 1 AND 90),
    PRIMARY KEY (step, level)
);
INSERT INTO monitor.case_days (step, level, days)
VALUES ('first_look', 'red', 1), ('first_look', 'orange', 3), ('first_look', 'yellow', 5),
       ('office', 'red', 5), ('office', 'orange', 5), ('office', 'yellow', 5),
       ('inquiry', 'red', 3), ('inquiry', 'orange', 5), ('inquiry', 'yellow', 10),
       ('rectification', 'red', 10), ('rectification', 'orange', 20), ('rectification', 'yellow', 30);

-- As before, and: 重新核查 takes a conclusion back before the case is closed; a unit that does not answer in time
-- is judged without its answer; the division changes to one below only, where the case waits for somebody.
CREATE OR REPLACE FUNCTION monitor.case_moves() RETURNS trigger
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
       OR (OLD.needs_attachment AND NOT NEW.needs_attachment)
       OR NEW.escalation < OLD.escalation
       OR (OLD.asked_at IS NOT NULL AND NEW.asked_at IS DISTINCT FROM OLD.asked_at)
       OR (OLD.conclusion <> '' AND NEW.state <> 'looking'
           AND (NEW.conclusion, NEW.concluded_by) IS DISTINCT FROM (OLD.conclusion, OLD.concluded_by)) THEN
        RAISE EXCEPTION 'this of a case never changes' USING ERRCODE = 'JC008';
    END IF;
    -- Everything but the end of the trail changes with an event.
    IF NEW.revision = OLD.revision
       AND to_jsonb(NEW) - 'last_n' - 'last_hash' <> to_jsonb(OLD) - 'last_n' - 'last_hash' THEN
        RAISE EXCEPTION 'a case changes with an event only' USING ERRCODE = 'JC008';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('looking', 'inquired'), ('looking', 'normal'), ('looking', 'violation'), ('inquired', 'replied'),
        ('inquired', 'violation'), ('replied', 'inquired'), ('replied', 'normal'), ('replied', 'violation'),
        ('violation', 'rectifying'), ('rectifying', 'rectified'), ('rectified', 'rectifying'),
        ('rectified', 'closed'), ('normal', 'closed'), ('normal', 'looking'), ('violation', 'looking'),
        ('rectified', 'looking')) THEN
        RAISE EXCEPTION 'no way from % to %', OLD.state, NEW.state USING ERRCODE = 'JC008';
    END IF;
    -- Nobody is found in violation unasked, or while there is time to answer.
    IF NEW.state = 'violation' AND NEW.state <> OLD.state
       AND (OLD.asked_at IS NULL
            OR OLD.state = 'inquired' AND (OLD.due_at < statement_timestamp()) IS NOT TRUE) THEN
        RAISE EXCEPTION 'the unit of case % was not asked, or has time to answer', OLD.id USING ERRCODE = 'JC008';
    END IF;
    IF NEW.division <> OLD.division AND (NEW.handler <> '' OR NEW.state <> OLD.state OR NOT EXISTS (
        WITH RECURSIVE above (code) AS (
            SELECT NEW.division
            UNION
            SELECT d.parent
              FROM above
              JOIN standards.division AS d ON d.code = above.code
             WHERE OLD.fiscal_year BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
        )
        SELECT FROM above WHERE code = OLD.division)) THEN
        RAISE EXCEPTION 'case % goes to a division below %, and waits there', OLD.id, OLD.division
              USING ERRCODE = 'JC008';
    END IF;
    RETURN NEW;
END
$$;
