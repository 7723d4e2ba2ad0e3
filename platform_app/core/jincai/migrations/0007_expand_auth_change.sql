-- Who logged in and what was changed about accounts, for the audit administrator; and passwords for one log-in.

-- 一次性口令: until when it opens the account, once, for choosing another. NULL: the person's own.
ALTER TABLE auth.account ADD COLUMN password_once_until timestamptz;

-- 审计日志. Rows are added and never changed.
CREATE TABLE auth.change (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Both are set by the trigger below, whatever a statement says.
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    written_by text        NOT NULL DEFAULT session_user,
    -- The person, or who ran a command; of a log-in the account itself.
    actor      text        NOT NULL CHECK (actor <> '' AND length(actor) <= 200),
    kind       text        NOT NULL CHECK (kind ~ '^[a-z_]{2,40}$'),
    -- Log-in name of the account, or name of the key, that it is about.
    account    text        CHECK (account <> ''),
    why        text        NOT NULL DEFAULT '' CHECK (length(why) <= 500),
    detail     jsonb       NOT NULL DEFAULT '{}' CHECK (octet_length(detail::text) <= 20000)
);
CREATE INDEX ON auth.change (at, id);
CREATE INDEX ON auth.change (actor, at, id);
CREATE INDEX ON auth.change (account, at, id);
-- Asked at every try of a log-in that nobody has.
CREATE INDEX ON auth.change (kind, at) WHERE account IS NULL;

CREATE FUNCTION auth.note() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    NEW.at := clock_timestamp();
    NEW.written_by := session_user;
    RETURN NEW;
END
$$;

CREATE FUNCTION auth.never_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION 'auth.% is never changed', TG_TABLE_NAME USING ERRCODE = 'JC002'; END $$;

CREATE TRIGGER noted BEFORE INSERT ON auth.change FOR EACH ROW EXECUTE FUNCTION auth.note();
CREATE TRIGGER final BEFORE UPDATE OR DELETE ON auth.change FOR EACH ROW EXECUTE FUNCTION auth.never_changed();
CREATE TRIGGER kept BEFORE TRUNCATE ON auth.change FOR EACH STATEMENT EXECUTE FUNCTION auth.never_changed();
-- Also in a session that applies replicated changes.
ALTER TABLE auth.change ENABLE ALWAYS TRIGGER final;
ALTER TABLE auth.change ENABLE ALWAYS TRIGGER kept;
