-- Editions that people make: who changed a draft, how often it changed, and that what is published stays so.
ALTER TABLE standards.edition
    -- What the draft was copied from; NULL: it began empty, or came with a release.
    ADD COLUMN based_on   integer,
    -- Counts the draft's changes, so that what is published is what the checker saw.
    ADD COLUMN revision   integer NOT NULL DEFAULT 1 CHECK (revision > 0),
    -- Everybody who changed the draft, its maker apart.
    ADD COLUMN changed_by text[]  NOT NULL DEFAULT '{}',
    -- 编制与发布分离: whoever had a hand in a draft does not publish it.
    ADD CONSTRAINT edition_two_people CHECK (published_by <> made_by AND published_by <> ALL (changed_by)),
    ADD FOREIGN KEY (fiscal_year, based_on) REFERENCES standards.edition;

-- Finds children when a parent goes.
CREATE INDEX code_parent ON standards.code (fiscal_year, edition, element, parent) WHERE parent IS NOT NULL;

-- Who did what to an edition, when; discarded drafts included, so no foreign key.
CREATE TABLE standards.edition_log (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year smallint    NOT NULL,
    edition     integer     NOT NULL,
    action      text        NOT NULL CHECK (action IN ('created', 'imported', 'deleted', 'discarded', 'published')),
    by          text        NOT NULL CHECK (by <> ''),
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Why, or what exactly.
    detail      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object')
);
CREATE INDEX edition_log_of ON standards.edition_log (fiscal_year, edition, id);

CREATE FUNCTION standards.refuse_log_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION 'the log of editions is never changed' USING ERRCODE = 'JC002'; END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON standards.edition_log
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_log_change();

-- Once a statement instead of once a row: an import brings a hundred thousand. The share lock makes it wait for a
-- publication that is under way.
CREATE FUNCTION standards.refuse_published_codes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    concerned record;
BEGIN
    FOR concerned IN
        SELECT e.fiscal_year, e.number, e.state
          FROM standards.edition AS e
         WHERE (e.fiscal_year, e.number) IN (SELECT t.fiscal_year, t.edition FROM touched AS t)
         ORDER BY 1, 2
           FOR SHARE OF e
    LOOP
        IF concerned.state = 'published' THEN
            RAISE EXCEPTION 'edition % of % is published and never changes', concerned.number, concerned.fiscal_year
                  USING ERRCODE = 'JC001';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
DROP TRIGGER published_stays ON standards.code;
DROP FUNCTION standards.refuse_published();
CREATE TRIGGER published_stays_inserted AFTER INSERT ON standards.code REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_published_codes();
CREATE TRIGGER published_stays_deleted AFTER DELETE ON standards.code REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_published_codes();
CREATE TRIGGER published_stays_before AFTER UPDATE ON standards.code REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_published_codes();
CREATE TRIGGER published_stays_after AFTER UPDATE ON standards.code REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_published_codes();

-- The edition itself: published it stays as it is; a draft keeps its maker.
CREATE FUNCTION standards.refuse_published_edition() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.state = 'published' THEN
        RAISE EXCEPTION 'edition % of % is published and never changes', OLD.number, OLD.fiscal_year
              USING ERRCODE = 'JC001';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (NEW.fiscal_year, NEW.number, NEW.made_by, NEW.made_at)
       IS DISTINCT FROM (OLD.fiscal_year, OLD.number, OLD.made_by, OLD.made_at)
       OR NOT NEW.changed_by @> OLD.changed_by THEN
        RAISE EXCEPTION 'who made edition % of % is never changed', OLD.number, OLD.fiscal_year
              USING ERRCODE = 'JC001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON standards.edition
    FOR EACH ROW EXECUTE FUNCTION standards.refuse_published_edition();

CREATE FUNCTION standards.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION 'editions are never emptied' USING ERRCODE = 'JC001'; END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON standards.code
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_truncate();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON standards.edition
    FOR EACH STATEMENT EXECUTE FUNCTION standards.refuse_truncate();
