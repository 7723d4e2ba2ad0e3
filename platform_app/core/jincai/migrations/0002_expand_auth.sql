-- Who may see and do what. Policies trust only a session's secret token, looked up here in tables that the
-- application's role cannot read; a setting that anyone can set decides nothing by itself.
CREATE SCHEMA auth;

-- 用户. A password is kept as argon2id; an account that comes in by OIDC has none.
CREATE TABLE auth.account (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login           text        NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
    name            text        NOT NULL CHECK (name <> ''),
    password_hash   text        CHECK (password_hash LIKE '$argon2id$%'),
    oidc_subject    text        UNIQUE,
    active          boolean     NOT NULL DEFAULT true,
    failed_attempts smallint    NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- 角色授予: a role in some divisions (NULL: in all) and, for a unit's people, for one unit.
CREATE TABLE auth.role_grant (
    account_id  bigint      NOT NULL REFERENCES auth.account,
    role        text        NOT NULL CHECK (role ~ '^[a-z_]{2,40}$'),
    division    text        CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code text        CHECK (agency_code <> ''),
    granted_by  text        NOT NULL,
    granted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (account_id, role, division, agency_code)
);

-- 接口密钥 of an outside system; only its SHA-256 is kept.
CREATE TABLE auth.api_key (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL UNIQUE CHECK (name <> ''),
    key_sha256  bytea       NOT NULL UNIQUE CHECK (length(key_sha256) = 32),
    permissions text[]      NOT NULL,
    -- NULL: all divisions.
    divisions   text[],
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);

-- 会话. The token itself is known to the client alone.
CREATE TABLE auth.session (
    token_sha256 bytea       PRIMARY KEY CHECK (length(token_sha256) = 32),
    account_id   bigint      REFERENCES auth.account,
    api_key_id   bigint      REFERENCES auth.api_key,
    -- Neither of the two: a process of the platform itself, such as jincai replay.
    actor        text        NOT NULL CHECK (actor <> ''),
    permissions  text[]      NOT NULL,
    -- NULL: all divisions; otherwise every code that may be seen, counties of a city named one by one.
    divisions    text[],
    -- NULL: every unit of those divisions.
    agencies     text[],
    opened_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL
);

-- The request's session, or no row. Not callable by the application's role: the functions below are.
CREATE FUNCTION auth.present() RETURNS auth.session
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT s
      FROM auth.session AS s
     WHERE s.token_sha256 = sha256(convert_to(current_setting('jincai.session', true), 'UTF8'))
       AND s.expires_at > statement_timestamp()
$$;

CREATE FUNCTION auth.sees_all() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT coalesce((SELECT p.actor IS NOT NULL AND p.divisions IS NULL FROM auth.present() AS p), false) $$;

CREATE FUNCTION auth.divisions() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT coalesce((SELECT p.divisions FROM auth.present() AS p), '{}') $$;

-- NULL: every unit. Never called without a session that exists, since auth.divisions() is then empty.
CREATE FUNCTION auth.agencies() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT (SELECT p.agencies FROM auth.present() AS p) $$;

-- Which of these (token, division, unit) triples go beyond what the token's session may do, by their place from 1.
-- One statement for a batch in which many people's orders were gathered.
CREATE FUNCTION auth.beyond(tokens text[], divisions text[], agencies text[], permission text)
    RETURNS TABLE (place integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT asked.n::integer
      FROM unnest(tokens, divisions, agencies) WITH ORDINALITY AS asked (token, division, agency, n)
      LEFT JOIN auth.session AS s
             ON s.token_sha256 = sha256(convert_to(asked.token, 'UTF8')) AND s.expires_at > statement_timestamp()
     WHERE s.token_sha256 IS NULL
        OR NOT (permission = ANY (s.permissions))
        OR NOT (s.divisions IS NULL OR asked.division = ANY (s.divisions))
        OR NOT (s.agencies IS NULL OR asked.agency = ANY (s.agencies))
$$;

REVOKE ALL ON FUNCTION auth.present() FROM PUBLIC;
-- The functions may be called by everybody; the tables are closed.
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- Every business table calls this once: only rows of the session's divisions exist for its reader, its owner included.
CREATE PROCEDURE auth.protect(business regclass, agency_column text DEFAULT NULL)
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    -- Sub-selects are evaluated once per statement, not once per row.
    scope text := '((SELECT auth.sees_all()) OR division = ANY ((SELECT auth.divisions())::text[]))';
BEGIN
    IF agency_column IS NOT NULL THEN
        scope := format('(%s AND ((SELECT auth.agencies()) IS NULL OR %I = ANY ((SELECT auth.agencies())::text[])))',
                        scope, agency_column);
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', business);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', business);
    EXECUTE format('CREATE POLICY scope ON %s USING (%s) WITH CHECK (%s)', business, scope, scope);
END
$$;
