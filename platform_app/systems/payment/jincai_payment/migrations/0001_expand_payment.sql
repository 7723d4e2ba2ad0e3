-- 国库集中支付: quotas, and the payments posted against them. Amounts in fen.
CREATE SCHEMA payment;

-- A paying unit and how many payments it has posted: the lock that puts its payments in one order.
CREATE TABLE payment.unit (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division        text    NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code     text    NOT NULL CHECK (agency_code <> ''),
    last_posting_no bigint  NOT NULL DEFAULT 0 CHECK (last_posting_no >= 0),
    UNIQUE (division, agency_code)
);
CALL auth.protect('payment.unit', 'agency_code');

-- 额度: what approved monthly plans have released under an indicator, and what was paid of it.
CREATE TABLE payment.quota (
    id               bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year      smallint NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division         text     NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code      text     NOT NULL CHECK (agency_code <> ''),
    indicator_id     bigint   NOT NULL,
    -- 直接支付 through the fiscal zero-balance account, 授权支付 through the unit's own.
    pay_type         text     NOT NULL CHECK (pay_type IN ('direct', 'authorised')),
    bgt_type_code    text     NOT NULL,
    fund_type_code   text     NOT NULL,
    exp_func_code    text     NOT NULL,
    dep_exp_eco_code text     NOT NULL,
    project_code     text     NOT NULL DEFAULT '',
    granted          bigint   NOT NULL DEFAULT 0 CHECK (granted >= 0),
    used             bigint   NOT NULL DEFAULT 0 CHECK (used >= 0),
    -- As of its indicator: 0 none, 1 warn, 2 strict.
    control_level    smallint NOT NULL DEFAULT 2 CHECK (control_level IN (0, 1, 2)),
    UNIQUE (indicator_id, pay_type),
    CONSTRAINT strict_is_never_exceeded CHECK (control_level < 2 OR used <= granted)
) WITH (fillfactor = 70); -- used moves with every batch: room for the new version beside the old one
CREATE INDEX quota_of_agency ON payment.quota (division, agency_code, fiscal_year);
CALL auth.protect('payment.quota', 'agency_code');

-- 支付凭证: posted, and never changed after. What happens to it later is told by rows elsewhere that name it.
-- No foreign keys from here: post() has locked what they would look for, and they would cost half of its time;
-- the reconciliation (year/reconcile.py) proves that the sums agree over the whole table.
CREATE TABLE payment.payment (
    id               bigint      PRIMARY KEY,
    fiscal_year      smallint    NOT NULL,
    division         text        NOT NULL,
    agency_code      text        NOT NULL,
    unit_id          integer     NOT NULL,
    -- Counted per unit: the order in which rules see its payments.
    posting_no       bigint      NOT NULL CHECK (posting_no > 0),
    quota_id         bigint      NOT NULL,
    -- 支付, 退款, 更正, 银行退回; all but the first are negative and name the payment that they undo.
    kind             text        NOT NULL CHECK (kind IN ('payment', 'refund', 'correction', 'bank_return')),
    undoes           bigint,
    pay_type         text        NOT NULL,
    set_mode_code    text        NOT NULL,
    bgt_type_code    text        NOT NULL,
    fund_type_code   text        NOT NULL,
    exp_func_code    text        NOT NULL,
    dep_exp_eco_code text        NOT NULL,
    project_code     text        NOT NULL,
    payee_name       text        NOT NULL CHECK (payee_name <> ''),
    payee_account    text        NOT NULL CHECK (payee_account <> ''),
    payee_bank       text        NOT NULL,
    payee_kind_code  text        NOT NULL,
    purpose          text        NOT NULL CHECK (purpose <> ''),
    amount           bigint      NOT NULL CHECK (amount <> 0),
    pay_date         date        NOT NULL,
    idempotency_key  text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    -- Of everything the order said, so that a key used for another order is noticed.
    digest           bigint      NOT NULL,
    voucher_id       bigint      NOT NULL,
    warned           boolean     NOT NULL DEFAULT false,
    posted_by        text        NOT NULL,
    posted_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
    CHECK ((kind = 'payment') = (undoes IS NULL)),
    CHECK ((kind = 'payment') = (amount > 0))
);
CREATE SEQUENCE payment.payment_id AS bigint;
CREATE UNIQUE INDEX payment_key ON payment.payment (division, idempotency_key);
CREATE UNIQUE INDEX payment_posting ON payment.payment (unit_id, posting_no);
CREATE INDEX payment_by_date ON payment.payment (division, pay_date, id);
CREATE INDEX payment_of_quota ON payment.payment (quota_id);
CREATE INDEX payment_undone ON payment.payment (undoes) WHERE undoes IS NOT NULL;
CALL auth.protect('payment.payment', 'agency_code');

-- An order that was refused, with the reason: asked again under the same key it gets the same answer.
CREATE TABLE payment.refusal (
    division        text        NOT NULL,
    agency_code     text        NOT NULL,
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    digest          bigint      NOT NULL,
    reason          text        NOT NULL,
    asked           jsonb       NOT NULL,
    asked_by        text        NOT NULL,
    at              timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (division, idempotency_key)
);
CALL auth.protect('payment.refusal', 'agency_code');

CREATE FUNCTION payment.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION '% is never changed: post a further entry', TG_TABLE_NAME USING ERRCODE = 'JC002'; END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON payment.payment
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();
