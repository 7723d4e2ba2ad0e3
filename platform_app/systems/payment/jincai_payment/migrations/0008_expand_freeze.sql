-- 冻结支付: a site that is frozen pays nothing, whichever door an order comes in by and whichever version asks.
CREATE TABLE payment.freeze (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason      text        NOT NULL CHECK (length(reason) BETWEEN 2 AND 200),
    frozen_by   text        NOT NULL CHECK (frozen_by <> ''),
    frozen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    thaw_reason text        NOT NULL DEFAULT '' CHECK (length(thaw_reason) <= 200),
    thawed_by   text        CHECK (thawed_by <> ''),
    thawed_at   timestamptz,
    CHECK ((thawed_at IS NULL) = (thawed_by IS NULL)),
    CHECK ((thawed_at IS NULL) = (thaw_reason = ''))
);
-- One is in force at most.
CREATE UNIQUE INDEX freeze_in_force ON payment.freeze ((true)) WHERE thawed_at IS NULL;

CREATE FUNCTION payment.keep_freeze() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    beside text[] := '{thaw_reason,thawed_by,thawed_at}';
BEGIN
    IF OLD.thawed_at IS NOT NULL OR to_jsonb(NEW) - beside IS DISTINCT FROM to_jsonb(OLD) - beside THEN
        RAISE EXCEPTION 'a freeze is thawed once, and never changed' USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kept BEFORE UPDATE ON payment.freeze FOR EACH ROW EXECUTE FUNCTION payment.keep_freeze();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.freeze
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();

-- Asked by whatever pays, before it does: the freeze in force, or NULL, and then whoever freezes waits for the end of
-- this transaction (`jincai_payment.freeze`). The shared lock, which nobody takes alone, comes first, and the row is
-- read by a snapshot taken after it: either this transaction sees the freeze, or the freeze sees this transaction.
CREATE FUNCTION payment.frozen() RETURNS bigint
    LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(x'6A696E66727A'::bigint);
    RETURN (SELECT f.id FROM payment.freeze AS f WHERE f.thawed_at IS NULL);
END
$$;

-- Also for what does not ask by itself, such as a former version on the other minicomputer, and for what asked just
-- before.
CREATE FUNCTION payment.refuse_frozen() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    in_force bigint := payment.frozen();
BEGIN
    IF in_force IS NOT NULL THEN
        RAISE EXCEPTION 'payments are frozen' USING ERRCODE = 'JC010', DETAIL = (
            SELECT json_build_object('reason', f.reason, 'by', f.frozen_by, 'since', f.frozen_at)
              FROM payment.freeze AS f
             WHERE f.id = in_force);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER frozen BEFORE INSERT ON payment.payment
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_frozen();
-- Handing out to the bank counts an attempt; what the bank tells of instructions it has does not.
CREATE TRIGGER frozen BEFORE UPDATE OF attempts ON payment.bank_order
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_frozen();
