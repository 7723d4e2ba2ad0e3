-- 待记账凭证: what a maker prepared and a checker books or returns. Amounts in fen.
CREATE TABLE ledger.voucher_draft (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year     smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    period          smallint    NOT NULL CHECK (period BETWEEN 0 AND 12),
    vou_date        date        NOT NULL,
    summary         text        NOT NULL CHECK (summary <> ''),
    -- 手工, 期初, 红字.
    kind            text        NOT NULL CHECK (kind IN ('manual', 'opening', 'red')),
    undoes          bigint,
    -- 待复核, 已退回, 已记账, 已撤销. What is booked or withdrawn never changes again.
    state           text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'returned', 'booked', 'withdrawn')),
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    -- Of everything that was asked, so that a key used for another draft is noticed.
    digest          text        NOT NULL,
    made_by         text        NOT NULL CHECK (made_by <> ''),
    made_at         timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- Who booked or returned it, when, and why it was returned.
    checked_by      text,
    checked_at      timestamptz,
    reason          text        NOT NULL DEFAULT '',
    voucher_id      bigint,
    UNIQUE (division, idempotency_key),
    CHECK (checked_by <> made_by),
    CHECK ((checked_by IS NULL) = (checked_at IS NULL)),
    CHECK ((kind = 'red') = (undoes IS NOT NULL)),
    CHECK ((kind = 'opening') = (period = 0) OR kind = 'red'),
    CHECK ((state = 'booked') = (voucher_id IS NOT NULL)),
    CHECK (state NOT IN ('booked', 'returned') OR checked_by IS NOT NULL),
    CHECK (state <> 'returned' OR reason <> '')
);
CREATE INDEX voucher_draft_open ON ledger.voucher_draft (division, fiscal_year, period)
 WHERE state IN ('waiting', 'returned');
-- One correction of a voucher at a time; once booked, voucher_undone_once refuses the second.
CREATE UNIQUE INDEX voucher_draft_undoes ON ledger.voucher_draft (undoes) WHERE state IN ('waiting', 'returned');
CALL auth.protect('ledger.voucher_draft');

CREATE TABLE ledger.voucher_draft_line (
    draft_id    bigint   NOT NULL REFERENCES ledger.voucher_draft,
    line_no     smallint NOT NULL CHECK (line_no > 0),
    fiscal_year smallint NOT NULL,
    division    text     NOT NULL,
    account     text     NOT NULL,
    item        text     NOT NULL DEFAULT '',
    agency_code text     NOT NULL DEFAULT '',
    debit       bigint   NOT NULL DEFAULT 0,
    credit      bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (draft_id, line_no),
    CHECK ((debit = 0) <> (credit = 0))
);
CALL auth.protect('ledger.voucher_draft_line');

CREATE FUNCTION ledger.refuse_settled() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'draft % is % and never changes', OLD.id, OLD.state USING ERRCODE = 'JC002';
END
$$;
CREATE TRIGGER settled_stays BEFORE UPDATE OR DELETE ON ledger.voucher_draft
    FOR EACH ROW WHEN (OLD.state IN ('booked', 'withdrawn')) EXECUTE FUNCTION ledger.refuse_settled();

-- 年结: which surplus account an account of revenue or expenditure closes to; years inclusive, data that a site can change.
CREATE TABLE ledger.closing_rule (
    -- An account and everything under it, by the beginning of its code; the longest that fits counts.
    account         text     NOT NULL CHECK (account <> ''),
    valid_from_year smallint NOT NULL,
    valid_to_year   smallint NOT NULL CHECK (valid_to_year >= valid_from_year),
    -- 结转到的净资产科目.
    surplus_account text     NOT NULL CHECK (surplus_account <> account),
    PRIMARY KEY (account, valid_from_year)
);
