-- 多功能插座: what outside systems pushed, by the pusher's own key: the same key with the same content is answered the
-- same, with another content it is refused. The row is there before anything is done, its answer when all is done.
CREATE TABLE hub.socket_push (
    pushed_by       text        NOT NULL CHECK (pushed_by <> ''),
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    kind            text        NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{1,31}$'),
    fiscal_year     smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    documents       integer     NOT NULL CHECK (documents BETWEEN 1 AND 1000),
    -- SHA-256 of everything that was pushed under the key.
    digest          bytea       NOT NULL CHECK (length(digest) = 32),
    -- json, not jsonb: it is given again in the words it was given in.
    answer          json,
    pushed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered_at     timestamptz,
    PRIMARY KEY (pushed_by, idempotency_key),
    CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CALL auth.protect('hub.socket_push');

-- An answer is given once and stays; a push that was refused as a whole may be taken back before it has one.
CREATE FUNCTION hub.refuse_answered() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.answer IS NOT NULL
       OR TG_OP = 'UPDATE'
          AND (NEW.pushed_by, NEW.idempotency_key, NEW.kind, NEW.fiscal_year, NEW.division, NEW.documents, NEW.digest,
               NEW.pushed_at)
              IS DISTINCT FROM (OLD.pushed_by, OLD.idempotency_key, OLD.kind, OLD.fiscal_year, OLD.division,
                                OLD.documents, OLD.digest, OLD.pushed_at) THEN
        RAISE EXCEPTION 'a push that was answered never changes' USING ERRCODE = 'JC002';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER answered_stays BEFORE UPDATE OR DELETE ON hub.socket_push
    FOR EACH ROW EXECUTE FUNCTION hub.refuse_answered();
