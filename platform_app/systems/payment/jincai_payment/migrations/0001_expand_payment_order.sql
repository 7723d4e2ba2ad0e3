-- 支付令: one payment that a unit asks for. Amounts in fen; negative only for refunds and corrections.
CREATE SCHEMA payment;

CREATE TABLE payment.payment_order (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year   smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division      text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    order_no      text        NOT NULL CHECK (order_no <> ''),
    agency_code   text        NOT NULL CHECK (agency_code <> ''),
    -- 直接支付 through the fiscal zero-balance account, 授权支付 through the unit's own.
    pay_type      text        NOT NULL CHECK (pay_type IN ('direct', 'authorised')),
    exp_func_code text        NOT NULL CHECK (exp_func_code ~ '^[0-9]{3}([0-9]{2}([0-9]{2})?)?$'),
    payee_name    text        NOT NULL CHECK (payee_name <> ''),
    payee_account text        NOT NULL CHECK (payee_account <> ''),
    purpose       text        NOT NULL CHECK (purpose <> ''),
    amount        bigint      NOT NULL CHECK (amount <> 0),
    -- 草稿 已送审 已审核 已签章 已发送 已支付 已清算; 退回 作废 退款
    state         text        NOT NULL DEFAULT 'draft' CHECK (state IN (
                      'draft', 'submitted', 'reviewed', 'signed', 'sent', 'paid', 'cleared',
                      'returned', 'void', 'refunded')),
    pay_date      date        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (fiscal_year, division, order_no)
);

CREATE INDEX payment_order_by_date ON payment.payment_order (fiscal_year, division, pay_date, id);

COMMENT ON COLUMN payment.payment_order.amount IS 'fen';
