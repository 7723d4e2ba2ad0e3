-- 用款计划 and 支付申请: what units ask for, and how it becomes quota and payment. Amounts in fen.

-- 用款计划: what a unit wants released under an indicator in a month. An approved one has become quota.
CREATE TABLE payment.plan (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year     smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code     text        NOT NULL CHECK (agency_code <> ''),
    indicator_id    bigint      NOT NULL,
    month           smallint    NOT NULL CHECK (month BETWEEN 1 AND 12),
    pay_type        text        NOT NULL CHECK (pay_type IN ('direct', 'authorised')),
    amount          bigint      NOT NULL CHECK (amount > 0),
    -- 已申报, 已批复, 已退回, 已撤回: the last three are final.
    state           text        NOT NULL DEFAULT 'submitted'
                    CHECK (state IN ('submitted', 'approved', 'refused', 'withdrawn')),
    purpose         text        NOT NULL,
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    made_by         text        NOT NULL CHECK (made_by <> ''),
    made_at         timestamptz NOT NULL DEFAULT statement_timestamp(),
    checked_by      text        CHECK (checked_by <> made_by),
    -- Why it was refused.
    reason          text        NOT NULL DEFAULT '',
    settled_at      timestamptz,
    UNIQUE (division, idempotency_key),
    CHECK ((state IN ('approved', 'refused')) = (checked_by IS NOT NULL)),
    CHECK ((state = 'submitted') = (settled_at IS NULL)),
    CHECK ((state = 'refused') = (reason <> ''))
);
CREATE INDEX plan_of_books ON payment.plan (fiscal_year, division, id);
CREATE INDEX plan_of_indicator ON payment.plan (indicator_id);
CREATE INDEX plan_waiting ON payment.plan (division, id) WHERE state = 'submitted';
CALL auth.protect('payment.plan', 'agency_code');

CREATE FUNCTION payment.keep_settled_plan() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'submitted' THEN
        RAISE EXCEPTION 'plan % is %: submit another', OLD.id, OLD.state USING ERRCODE = 'JC002';
    END IF;
    IF (NEW.fiscal_year, NEW.division, NEW.agency_code, NEW.indicator_id, NEW.month, NEW.pay_type, NEW.amount,
        NEW.purpose, NEW.idempotency_key, NEW.made_by, NEW.made_at)
       IS DISTINCT FROM
       (OLD.fiscal_year, OLD.division, OLD.agency_code, OLD.indicator_id, OLD.month, OLD.pay_type, OLD.amount,
        OLD.purpose, OLD.idempotency_key, OLD.made_by, OLD.made_at) THEN
        RAISE EXCEPTION 'what plan % asks for never changes: withdraw it', OLD.id USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER settled_stays BEFORE UPDATE OR DELETE ON payment.plan
    FOR EACH ROW EXECUTE FUNCTION payment.keep_settled_plan();

-- 支付申请: written by a unit, reviewed and signed by two others; signed, it has become a payment.
-- No foreign keys to payments: those are never deleted, and payment_id is written in the transaction that made one.
CREATE TABLE payment.application (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year     smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code     text        NOT NULL CHECK (agency_code <> ''),
    quota_id        bigint      NOT NULL REFERENCES payment.quota,
    kind            text        NOT NULL CHECK (kind IN ('payment', 'refund', 'correction')),
    undoes          bigint,
    payee_name      text        NOT NULL CHECK (payee_name <> ''),
    payee_account   text        NOT NULL CHECK (payee_account <> ''),
    payee_bank      text        NOT NULL,
    payee_kind_code text        NOT NULL,
    set_mode_code   text        NOT NULL,
    purpose         text        NOT NULL CHECK (purpose <> ''),
    amount          bigint      NOT NULL CHECK (amount <> 0),
    pay_date        date        NOT NULL,
    -- 草稿, 已送审, 已审核, 已签章, 退回, 作废: signed and void are final.
    state           text        NOT NULL DEFAULT 'draft'
                    CHECK (state IN ('draft', 'submitted', 'reviewed', 'signed', 'returned', 'void')),
    -- Raised whenever it may be asked anew under another key of posting: on edits, returns and refusals.
    revision        integer     NOT NULL DEFAULT 1 CHECK (revision > 0),
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    made_by         text        NOT NULL CHECK (made_by <> ''),
    reviewed_by     text        CHECK (reviewed_by <> made_by),
    signed_by       text        CHECK (signed_by <> made_by AND signed_by <> reviewed_by),
    payment_id      bigint      UNIQUE,
    made_at         timestamptz NOT NULL DEFAULT statement_timestamp(),
    UNIQUE (division, idempotency_key),
    CHECK ((kind = 'payment') = (undoes IS NULL)),
    CHECK ((kind = 'payment') = (amount > 0)),
    CHECK (extract(year FROM pay_date) = fiscal_year),
    CHECK (state NOT IN ('reviewed', 'signed') OR reviewed_by IS NOT NULL),
    CHECK ((state = 'signed') = (signed_by IS NOT NULL AND payment_id IS NOT NULL))
);
CREATE INDEX application_of_books ON payment.application (fiscal_year, division, id);
CREATE INDEX application_of_quota ON payment.application (quota_id);
CREATE INDEX application_waiting ON payment.application (division, state, id) WHERE state NOT IN ('signed', 'void');
CALL auth.protect('payment.application', 'agency_code');

-- What was reviewed is what is signed: the content changes in a unit's hands only, and states along these ways.
CREATE FUNCTION payment.keep_application() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    ways CONSTANT text[] := ARRAY['draft>submitted', 'draft>void', 'submitted>reviewed', 'submitted>returned',
        'submitted>void', 'reviewed>signed', 'reviewed>returned', 'reviewed>void', 'returned>submitted',
        'returned>void'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state IN ('signed', 'void')
       OR NEW.state <> OLD.state AND OLD.state || '>' || NEW.state <> ALL (ways) THEN
        RAISE EXCEPTION 'application % is %', OLD.id, OLD.state USING ERRCODE = 'JC002';
    END IF;
    IF (OLD.state NOT IN ('draft', 'returned') OR NEW.state <> OLD.state)
       AND (NEW.quota_id, NEW.kind, NEW.undoes, NEW.payee_name, NEW.payee_account, NEW.payee_bank,
            NEW.payee_kind_code, NEW.set_mode_code, NEW.purpose, NEW.amount, NEW.pay_date)
           IS DISTINCT FROM
           (OLD.quota_id, OLD.kind, OLD.undoes, OLD.payee_name, OLD.payee_account, OLD.payee_bank,
            OLD.payee_kind_code, OLD.set_mode_code, OLD.purpose, OLD.amount, OLD.pay_date)
       OR (NEW.fiscal_year, NEW.division, NEW.agency_code, NEW.idempotency_key, NEW.made_at)
           IS DISTINCT FROM (OLD.fiscal_year, OLD.division, OLD.agency_code, OLD.idempotency_key, OLD.made_at) THEN
        RAISE EXCEPTION 'what application % says does not change while it is %', OLD.id, OLD.state
              USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON payment.application
    FOR EACH ROW EXECUTE FUNCTION payment.keep_application();

-- Every step of an application, once and for good: who, when and why.
CREATE TABLE payment.application_step (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id bigint      NOT NULL REFERENCES payment.application,
    fiscal_year    smallint    NOT NULL,
    division       text        NOT NULL,
    agency_code    text        NOT NULL,
    revision       integer     NOT NULL,
    -- 起草, 修改, 送审, 审核, 签章, 签章未通过, 退回, 作废
    action         text        NOT NULL CHECK (action IN ('made', 'edited', 'submitted', 'reviewed', 'signed',
                                                          'refused', 'returned', 'void')),
    reason         text        NOT NULL DEFAULT '',
    by_whom        text        NOT NULL CHECK (by_whom <> ''),
    at             timestamptz NOT NULL DEFAULT statement_timestamp(),
    CHECK ((action IN ('refused', 'returned', 'void')) = (reason <> ''))
);
CREATE INDEX application_step_of ON payment.application_step (application_id, id);
CALL auth.protect('payment.application_step', 'agency_code');
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payment.application_step
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();

-- The books that hold quotas, found along an index.
CREATE INDEX quota_of_books ON payment.quota (fiscal_year, division, id);
