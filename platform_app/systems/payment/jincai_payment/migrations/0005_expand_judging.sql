-- 动态监控 of payments: which rules judged each, what was held or forbidden, and the registers that rules look into.
-- Amounts in fen.

-- Number of the edition of rules that judged it; 0: none was in force.
ALTER TABLE payment.payment ADD COLUMN rules integer NOT NULL DEFAULT 0;
-- What windows of rules look along: the unit's payments to one payee, and its cash.
CREATE INDEX payment_to_payee ON payment.payment (unit_id, payee_account, pay_date);
CREATE INDEX payment_in_cash ON payment.payment (unit_id, pay_date) WHERE set_mode_code = '2';

-- 拦截 and 禁止: orders that rules stopped before payment. A held one waits for another person's decision.
CREATE TABLE payment.held (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year     smallint    NOT NULL,
    division        text        NOT NULL,
    agency_code     text        NOT NULL,
    quota_id        bigint      NOT NULL,
    payee_name      text        NOT NULL,
    payee_account   text        NOT NULL,
    payee_bank      text        NOT NULL,
    payee_kind_code text        NOT NULL,
    set_mode_code   text        NOT NULL,
    purpose         text        NOT NULL,
    amount          bigint      NOT NULL CHECK (amount > 0),
    pay_date        date        NOT NULL,
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    digest          bigint      NOT NULL,
    -- 已拦截, 已放行, 已驳回, 已禁止: the last two are final, and so is a release that was posted.
    state           text        NOT NULL CHECK (state IN ('held', 'released', 'rejected', 'forbidden')),
    edition         integer     NOT NULL,
    -- The rules that stopped it; a release answers for these, not for others.
    rules           text[]      NOT NULL CHECK (cardinality(rules) > 0),
    asked_by        text        NOT NULL CHECK (asked_by <> ''),
    asked_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
    decided_by      text,
    decided_at      timestamptz,
    reason          text        NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    payment_id      bigint,
    UNIQUE (division, idempotency_key),
    CHECK ((state IN ('released', 'rejected')) = (decided_by IS NOT NULL AND decided_at IS NOT NULL)),
    CHECK ((state IN ('released', 'rejected')) = (reason <> '')),
    CHECK ((state = 'released') = (payment_id IS NOT NULL)),
    CONSTRAINT held_two_people CHECK (decided_by <> asked_by)
);
CREATE INDEX held_of_books ON payment.held (fiscal_year, division, id);
CREATE INDEX held_waiting ON payment.held (division, id) WHERE state = 'held';
CREATE UNIQUE INDEX held_payment ON payment.held (payment_id) WHERE payment_id IS NOT NULL;
CALL auth.protect('payment.held', 'agency_code');

CREATE FUNCTION payment.keep_held() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    asked record := NEW;
BEGIN
    IF OLD.state <> 'held' THEN
        RAISE EXCEPTION 'held order % is %', OLD.id, OLD.state USING ERRCODE = 'JC002';
    END IF;
    asked.state := OLD.state;
    asked.decided_by := OLD.decided_by;
    asked.decided_at := OLD.decided_at;
    asked.reason := OLD.reason;
    asked.payment_id := OLD.payment_id;
    asked.rules := OLD.rules;
    asked.edition := OLD.edition;
    IF asked IS DISTINCT FROM OLD OR NOT NEW.rules @> OLD.rules THEN
        RAISE EXCEPTION 'what held order % asks for never changes', OLD.id USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kept BEFORE UPDATE ON payment.held FOR EACH ROW EXECUTE FUNCTION payment.keep_held();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.held
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();

-- Names and accounts as they are compared: by letters and digits alone, full-width ones as their narrow twins.
-- Every payment is asked twice; translate() with the marks to drop took three times as long.
CREATE FUNCTION payment.plain(said text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT CASE WHEN said ~ '^[0-9]*$' THEN said
                ELSE regexp_replace(upper(normalize(said, NFKC)), '[^[:alnum:]]', '', 'g') END
$$;

-- 账户备案: accounts that units hold themselves. Closed by a date, never removed.
CREATE TABLE payment.own_account (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division    text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code text        NOT NULL CHECK (agency_code <> ''),
    holder      text        NOT NULL CHECK (holder <> ''),
    account     text        NOT NULL CHECK (account <> ''),
    holder_key  text        NOT NULL GENERATED ALWAYS AS (payment.plain(holder)) STORED,
    account_key text        NOT NULL GENERATED ALWAYS AS (payment.plain(account)) STORED,
    valid_from  date        NOT NULL DEFAULT '1949-10-01',
    valid_to    date        CHECK (valid_to >= valid_from),
    made_by     text        NOT NULL CHECK (made_by <> ''),
    made_at     timestamptz NOT NULL DEFAULT statement_timestamp(),
    closed_by   text,
    closed_at   timestamptz
);
CREATE UNIQUE INDEX own_account_once ON payment.own_account (division, agency_code, account_key, valid_from);
CREATE INDEX own_account_holder ON payment.own_account (division, agency_code, holder_key, valid_from);
CALL auth.protect('payment.own_account', 'agency_code');

-- 基建合同: whom a construction project may pay, and from which item ('' for any).
CREATE TABLE payment.contract (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division         text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code      text        NOT NULL CHECK (agency_code <> ''),
    project_code     text        NOT NULL CHECK (project_code <> ''),
    contract_no      text        NOT NULL CHECK (contract_no <> ''),
    payee_name       text        NOT NULL CHECK (payee_name <> ''),
    payee_account    text        NOT NULL CHECK (payee_account <> ''),
    account_key      text        NOT NULL GENERATED ALWAYS AS (payment.plain(payee_account)) STORED,
    dep_exp_eco_code text        NOT NULL DEFAULT '',
    valid_from       date        NOT NULL DEFAULT '1949-10-01',
    valid_to         date        CHECK (valid_to >= valid_from),
    made_by          text        NOT NULL CHECK (made_by <> ''),
    made_at          timestamptz NOT NULL DEFAULT statement_timestamp(),
    closed_by        text,
    closed_at        timestamptz
);
CREATE UNIQUE INDEX contract_once
    ON payment.contract (division, agency_code, project_code, account_key, dep_exp_eco_code, contract_no, valid_from);
CALL auth.protect('payment.contract', 'agency_code');

-- 单位限额: what a unit ('': every unit of the division) may pay at once, or draw in cash in a day or a month.
CREATE TABLE payment.unit_limit (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division    text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code text        NOT NULL DEFAULT '',
    kind        text        NOT NULL CHECK (kind IN ('payment', 'cash_day', 'cash_month')),
    amount      bigint      NOT NULL CHECK (amount >= 0),
    valid_from  date        NOT NULL DEFAULT '1949-10-01',
    valid_to    date        CHECK (valid_to >= valid_from),
    made_by     text        NOT NULL CHECK (made_by <> ''),
    made_at     timestamptz NOT NULL DEFAULT statement_timestamp(),
    closed_by   text,
    closed_at   timestamptz
);
CREATE UNIQUE INDEX unit_limit_once ON payment.unit_limit (division, agency_code, kind, valid_from);
CALL auth.protect('payment.unit_limit', 'agency_code');

-- Only the end of an entry's validity may be set, once.
CREATE FUNCTION payment.keep_register() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    -- Generated columns have no value yet before an update; they follow from what may not change.
    beside text[] := '{valid_to,closed_by,closed_at,holder_key,account_key}';
BEGIN
    IF OLD.valid_to IS NOT NULL OR to_jsonb(NEW) - beside IS DISTINCT FROM to_jsonb(OLD) - beside THEN
        RAISE EXCEPTION 'an entry of % is closed by a date, and never changed', TG_TABLE_NAME USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kept BEFORE UPDATE ON payment.own_account FOR EACH ROW EXECUTE FUNCTION payment.keep_register();
CREATE TRIGGER kept BEFORE UPDATE ON payment.contract FOR EACH ROW EXECUTE FUNCTION payment.keep_register();
CREATE TRIGGER kept BEFORE UPDATE ON payment.unit_limit FOR EACH ROW EXECUTE FUNCTION payment.keep_register();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.own_account
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.contract
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.unit_limit
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();

-- A step of an application whose order rules held, and of its release.
ALTER TABLE payment.application_step DROP CONSTRAINT application_step_action_check;
ALTER TABLE payment.application_step ADD CONSTRAINT application_step_action_check
    CHECK (action IN ('made', 'edited', 'submitted', 'reviewed', 'signed', 'refused', 'returned', 'void', 'held'));

-- As before, with what was held or forbidden; 'reason' of those is their state.
DROP FUNCTION payment.decided(text[], text[]);
CREATE FUNCTION payment.decided(divisions text[], keys text[])
    RETURNS TABLE (division text, key text, payment_id bigint, posting_no bigint, warned boolean, digest bigint,
                   reason text, rules text[])
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
    SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT w.division, w.key, p.id, p.posting_no, p.warned, coalesce(p.digest, h.digest, r.digest),
           coalesce(r.reason, h.state), h.rules
      FROM unnest(divisions, keys) AS w (division, key)
      LEFT JOIN payment.payment AS p ON (p.division, p.idempotency_key) = (w.division, w.key)
      LEFT JOIN payment.refusal AS r ON (r.division, r.idempotency_key) = (w.division, w.key)
      LEFT JOIN payment.held AS h ON (h.division, h.idempotency_key) = (w.division, w.key)
     WHERE p.id IS NOT NULL OR r.digest IS NOT NULL OR h.id IS NOT NULL;
END
$$;
