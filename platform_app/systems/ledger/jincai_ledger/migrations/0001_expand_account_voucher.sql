-- 总会计: charts of accounts valid from year to year, and the vouchers booked in them. Amounts in fen.
CREATE SCHEMA ledger;

CREATE TABLE ledger.account (
    chart text NOT NULL CHECK (chart <> ''),
    code  text NOT NULL CHECK (code ~ '^[0-9]{3,12}$'),
    name  text NOT NULL CHECK (name <> ''),
    kind  text NOT NULL CHECK (kind IN ('asset', 'liability', 'net', 'revenue', 'expenditure')),
    PRIMARY KEY (chart, code)
);

CREATE TABLE ledger.voucher (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division    text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    period      smallint    NOT NULL CHECK (period BETWEEN 1 AND 12),
    voucher_no  integer     NOT NULL CHECK (voucher_no > 0),
    vou_date    date        NOT NULL,
    summary     text        NOT NULL CHECK (summary <> ''),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (fiscal_year, division, period, voucher_no)
);

-- Each line is on one side; red entries (红字) are negative.
CREATE TABLE ledger.voucher_line (
    voucher_id bigint   NOT NULL REFERENCES ledger.voucher,
    line_no    smallint NOT NULL CHECK (line_no > 0),
    chart      text     NOT NULL,
    account    text     NOT NULL,
    debit      bigint   NOT NULL DEFAULT 0,
    credit     bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (voucher_id, line_no),
    FOREIGN KEY (chart, account) REFERENCES ledger.account,
    CHECK ((debit = 0) <> (credit = 0))
);

CREATE INDEX voucher_line_by_account ON ledger.voucher_line (chart, account);

COMMENT ON COLUMN ledger.voucher_line.debit IS 'fen';
COMMENT ON COLUMN ledger.voucher_line.credit IS 'fen';
