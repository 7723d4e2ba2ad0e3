-- 国库集中支付, the agent bank's side: instructions, their receipts, what contradicts itself, and the daily clearing.
-- Amounts in fen.

-- 清算: what the zero-balance accounts of a division and way of payment are owed by the treasury for a day.
CREATE TABLE payment.clearing (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year   smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division      text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    clearing_date date        NOT NULL CHECK (extract(year FROM clearing_date) = fiscal_year),
    pay_type      text        NOT NULL CHECK (pay_type IN ('direct', 'authorised')),
    -- A day may need a second one, for receipts that came late.
    number        integer     NOT NULL CHECK (number > 0),
    state         text        NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'booked', 'withdrawn')),
    paid_count    integer     NOT NULL CHECK (paid_count >= 0),
    paid          bigint      NOT NULL CHECK (paid >= 0),
    refund_count  integer     NOT NULL CHECK (refund_count >= 0),
    refunded      bigint      NOT NULL CHECK (refunded >= 0),
    -- Owed by the treasury; negative: owed to it. Nothing is booked for 0.
    amount        bigint      NOT NULL GENERATED ALWAYS AS (paid - refunded) STORED,
    voucher_id    bigint,
    made_by       text        NOT NULL CHECK (made_by <> ''),
    made_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    checked_by    text,
    checked_at    timestamptz,
    UNIQUE (fiscal_year, division, clearing_date, pay_type, number),
    CHECK (paid_count + refund_count > 0),
    CHECK ((state = 'requested') = (checked_by IS NULL)),
    CHECK ((state = 'requested') = (checked_at IS NULL)),
    CONSTRAINT two_people CHECK (state <> 'booked' OR checked_by <> made_by),
    CHECK ((voucher_id IS NOT NULL) = (state = 'booked' AND paid <> refunded))
);
-- Two people do not draw up the same day twice.
CREATE UNIQUE INDEX clearing_one_open ON payment.clearing (fiscal_year, division, clearing_date, pay_type)
 WHERE state = 'requested';
CALL auth.protect('payment.clearing');

-- 支付指令: a payment on its way to the bank. Made when a bank asks for instructions, not when the payment is posted.
CREATE TABLE payment.bank_order (
    payment_id  bigint      PRIMARY KEY REFERENCES payment.payment,
    fiscal_year smallint    NOT NULL,
    division    text        NOT NULL,
    agency_code text        NOT NULL,
    pay_type    text        NOT NULL,
    -- What the bank is to pay: the payment less what was undone of it before it was sent.
    amount      bigint      NOT NULL CHECK (amount >= 0),
    pay_date    date        NOT NULL,
    -- 待发送, 已发送, 已支付, 支付失败; 作废: all of it was undone before it was sent.
    state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'paid', 'failed', 'void')),
    attempts    integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    sent_to     text,
    sent_at     timestamptz,
    -- Unanswered until then it is handed out again.
    answer_by   timestamptz,
    bank_no     text        CHECK (bank_no <> ''),
    paid_date   date,
    paid_amount bigint,
    reason      text        CHECK (reason <> ''),
    answered_by text,
    answered_at timestamptz,
    clearing_id bigint      REFERENCES payment.clearing,
    CHECK ((state IN ('waiting', 'void')) = (attempts = 0)),
    CHECK ((state IN ('paid', 'failed')) = (answered_at IS NOT NULL)),
    CHECK ((state = 'void') = (amount = 0)),
    CHECK ((attempts > 0) = (sent_to IS NOT NULL AND sent_at IS NOT NULL AND answer_by IS NOT NULL)),
    CHECK (answered_at IS NULL OR (answered_by IS NOT NULL AND paid_date IS NOT NULL)),
    CHECK (state <> 'paid' OR (paid_amount = amount AND bank_no IS NOT NULL)),
    CHECK (state <> 'failed' OR (paid_amount = 0 AND reason IS NOT NULL)),
    CHECK (clearing_id IS NULL OR state = 'paid')
);
CREATE INDEX bank_order_of_books ON payment.bank_order (fiscal_year, division, pay_date, payment_id);
CREATE INDEX bank_order_queue ON payment.bank_order (division, pay_date, payment_id) WHERE state IN ('waiting', 'sent');
CREATE INDEX bank_order_uncleared ON payment.bank_order (division, fiscal_year, pay_type)
 WHERE state = 'paid' AND clearing_id IS NULL;
CREATE INDEX bank_order_cleared ON payment.bank_order (clearing_id) WHERE clearing_id IS NOT NULL;
CALL auth.protect('payment.bank_order', 'agency_code');

-- 退款: money that came back after it was paid. It may be told before the payment's own receipt; then it waits for that.
CREATE TABLE payment.bank_refund (
    payment_id  bigint      NOT NULL REFERENCES payment.bank_order,
    -- The bank's own number of the refund: the payment may be refunded in parts.
    bank_no     text        NOT NULL CHECK (bank_no <> ''),
    fiscal_year smallint    NOT NULL,
    division    text        NOT NULL,
    agency_code text        NOT NULL,
    pay_type    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    paid_date   date        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    -- The entry that undoes that much of the payment; none while the refund waits.
    posted_id   bigint      REFERENCES payment.payment,
    told_by     text        NOT NULL,
    told_at     timestamptz NOT NULL DEFAULT statement_timestamp(),
    clearing_id bigint      REFERENCES payment.clearing,
    PRIMARY KEY (payment_id, bank_no),
    CHECK (clearing_id IS NULL OR posted_id IS NOT NULL)
);
CREATE INDEX bank_refund_uncleared ON payment.bank_refund (division, fiscal_year, pay_type) WHERE clearing_id IS NULL;
CREATE INDEX bank_refund_cleared ON payment.bank_refund (clearing_id) WHERE clearing_id IS NOT NULL;
CALL auth.protect('payment.bank_refund', 'agency_code');

-- 差异: a receipt that contradicts what is known. It changes nothing; a person settles it with the bank.
CREATE TABLE payment.bank_discrepancy (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id   bigint      NOT NULL,
    fiscal_year  smallint    NOT NULL,
    division     text        NOT NULL,
    agency_code  text        NOT NULL,
    problem      text        NOT NULL CHECK (problem ~ '^[a-z_]+$'),
    outcome      text        NOT NULL,
    bank_no      text        NOT NULL,
    paid_date    date        NOT NULL,
    paid_amount  bigint      NOT NULL,
    reason       text        NOT NULL,
    -- What was known when it came first.
    known_state  text        NOT NULL,
    known_amount bigint      NOT NULL,
    told_by      text        NOT NULL,
    told_at      timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- The same receipt again is counted, not kept again.
    times        integer     NOT NULL DEFAULT 1 CHECK (times > 0),
    settled_by   text,
    settled_at   timestamptz,
    note         text        CHECK (note <> ''),
    CHECK ((settled_by IS NULL) = (settled_at IS NULL) AND (settled_by IS NULL) = (note IS NULL)),
    UNIQUE (payment_id, problem, outcome, bank_no, paid_date, paid_amount)
);
CREATE INDEX bank_discrepancy_of_books ON payment.bank_discrepancy (fiscal_year, division, id);
CALL auth.protect('payment.bank_discrepancy', 'agency_code');

-- What the bank answered stays; only the clearing it went into is noted later, and stays once that is booked.
CREATE FUNCTION payment.refuse_unanswering() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    moved record := NEW;
BEGIN
    moved.clearing_id := OLD.clearing_id;
    IF moved IS NOT DISTINCT FROM OLD THEN
        IF OLD.clearing_id IS NULL THEN
            RETURN NEW;
        ELSIF NOT EXISTS (SELECT FROM payment.clearing AS c WHERE c.id = OLD.clearing_id AND c.state = 'booked') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '%: what the bank answered for payment % is never changed', TG_TABLE_NAME, OLD.payment_id
          USING ERRCODE = 'JC002';
END
$$;
CREATE TRIGGER answered_stays BEFORE UPDATE ON payment.bank_order
    FOR EACH ROW WHEN (OLD.state IN ('paid', 'failed', 'void')) EXECUTE FUNCTION payment.refuse_unanswering();
CREATE TRIGGER posted_stays BEFORE UPDATE ON payment.bank_refund
    FOR EACH ROW WHEN (OLD.posted_id IS NOT NULL) EXECUTE FUNCTION payment.refuse_unanswering();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.bank_order
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();
CREATE TRIGGER posted_stays_there BEFORE DELETE ON payment.bank_refund
    FOR EACH ROW WHEN (OLD.posted_id IS NOT NULL) EXECUTE FUNCTION payment.refuse_change();
CREATE TRIGGER never_removed BEFORE TRUNCATE ON payment.bank_refund
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();

CREATE FUNCTION payment.refuse_reopening() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'clearing % is %: draw up a further one', OLD.id, OLD.state USING ERRCODE = 'JC002';
END
$$;
CREATE TRIGGER decided_stays BEFORE UPDATE ON payment.clearing
    FOR EACH ROW WHEN (OLD.state <> 'requested') EXECUTE FUNCTION payment.refuse_reopening();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON payment.clearing
    FOR EACH STATEMENT EXECUTE FUNCTION payment.refuse_change();
