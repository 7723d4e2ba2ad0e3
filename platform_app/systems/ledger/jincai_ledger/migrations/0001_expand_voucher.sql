-- 总会计: vouchers, their lines, and the balances that follow from them. Amounts in fen. The charts of accounts are
-- standards (element account) of the fiscal year.
CREATE SCHEMA ledger;

-- Which two accounts an event books (分录模板), by fund type ('*': any other); years inclusive, data that a site can change.
CREATE TABLE ledger.posting_rule (
    event           text     NOT NULL CHECK (event ~ '^[a-z_]+$'),
    fund_type_code  text     NOT NULL DEFAULT '*',
    valid_from_year smallint NOT NULL,
    valid_to_year   smallint NOT NULL CHECK (valid_to_year >= valid_from_year),
    debit_account   text     NOT NULL,
    credit_account  text     NOT NULL CHECK (credit_account <> debit_account),
    PRIMARY KEY (event, fund_type_code, valid_from_year)
);

-- A month of a division's books: open until it is closed, and how many vouchers it has. Period 13: year-end entries.
CREATE TABLE ledger.period (
    fiscal_year     smallint NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text     NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    period          smallint NOT NULL CHECK (period BETWEEN 0 AND 13),
    last_voucher_no integer  NOT NULL DEFAULT 0 CHECK (last_voucher_no >= 0),
    closed_by       text,
    closed_at       timestamptz,
    PRIMARY KEY (fiscal_year, division, period),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CALL auth.protect('ledger.period');

CREATE SEQUENCE ledger.voucher_id AS bigint;
CREATE TABLE ledger.voucher (
    id          bigint      PRIMARY KEY DEFAULT nextval('ledger.voucher_id'),
    fiscal_year smallint    NOT NULL,
    division    text        NOT NULL,
    period      smallint    NOT NULL CHECK (period BETWEEN 0 AND 13),
    voucher_no  integer     NOT NULL CHECK (voucher_no > 0),
    vou_date    date        NOT NULL,
    summary     text        NOT NULL CHECK (summary <> ''),
    -- What it was booked for: payment, clearing, manual, opening, red, close …; source_id says which.
    source      text        NOT NULL CHECK (source ~ '^[a-z_]+$'),
    source_id   bigint,
    -- 红字冲销: the voucher that this one undoes.
    undoes      bigint,
    made_by     text        NOT NULL,
    checked_by  text        NOT NULL,
    booked_at   timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE UNIQUE INDEX voucher_number ON ledger.voucher (division, fiscal_year, period, voucher_no);
CREATE UNIQUE INDEX voucher_undone_once ON ledger.voucher (undoes) WHERE undoes IS NOT NULL;
CALL auth.protect('ledger.voucher');

-- Each line is on one side; red entries (红字) are negative. item is the classification it is analysed by.
CREATE TABLE ledger.voucher_line (
    voucher_id  bigint   NOT NULL,
    line_no     smallint NOT NULL CHECK (line_no > 0),
    fiscal_year smallint NOT NULL,
    division    text     NOT NULL,
    period      smallint NOT NULL,
    account     text     NOT NULL,
    item        text     NOT NULL DEFAULT '',
    agency_code text     NOT NULL DEFAULT '',
    debit       bigint   NOT NULL DEFAULT 0,
    credit      bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (voucher_id, line_no),
    CHECK ((debit = 0) <> (credit = 0))
);
-- The drill-down: from a figure to its lines.
CREATE INDEX voucher_line_drill ON ledger.voucher_line (division, fiscal_year, account, item, period);
CALL auth.protect('ledger.voucher_line');

-- What the lines add up to, kept in the transaction that books them.
CREATE TABLE ledger.balance (
    fiscal_year smallint NOT NULL,
    division    text     NOT NULL,
    period      smallint NOT NULL,
    account     text     NOT NULL,
    item        text     NOT NULL DEFAULT '',
    debit       bigint   NOT NULL DEFAULT 0,
    credit      bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (division, fiscal_year, period, account, item)
) WITH (fillfactor = 70);
CALL auth.protect('ledger.balance');

-- One simple voucher to be booked: two lines by the posting rule of its event.
CREATE TYPE ledger.booking AS (
    voucher_id     bigint,
    fiscal_year    smallint,
    division       text,
    vou_date       date,
    event          text,
    fund_type_code text,
    item           text,
    agency_code    text,
    amount         bigint,
    summary        text,
    source         text,
    source_id      bigint,
    made_by        text,
    checked_by     text
);

-- Books simple vouchers in the order given: numbers, both lines, balances; a fixed number of statements.
-- Locks, in this order: periods by division, year, month; balances by division, year, month, account, item.
-- JC003: a period is closed. JC004: no posting rule for an event. Nothing is booked then.
CREATE FUNCTION ledger.book(bookings ledger.booking[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    wrong text;
BEGIN
    -- Made where missing, then locked in order; a concurrent close waits for us or we for it.
    INSERT INTO ledger.period (fiscal_year, division, period)
    SELECT DISTINCT b.fiscal_year, b.division, extract(month FROM b.vou_date)::smallint
      FROM unnest(bookings) AS b
     ORDER BY 2, 1, 3
        ON CONFLICT DO NOTHING;
    PERFORM FROM ledger.period AS p
       JOIN (SELECT DISTINCT b.fiscal_year, b.division, extract(month FROM b.vou_date)::smallint AS period
               FROM unnest(bookings) AS b) AS w USING (fiscal_year, division, period)
      ORDER BY p.division, p.fiscal_year, p.period
        FOR NO KEY UPDATE OF p;

    SELECT format('%s %s %s', p.division, p.fiscal_year, p.period) INTO wrong
      FROM ledger.period AS p
      JOIN (SELECT DISTINCT b.fiscal_year, b.division, extract(month FROM b.vou_date)::smallint AS period
              FROM unnest(bookings) AS b) AS w USING (fiscal_year, division, period)
     WHERE p.closed_at IS NOT NULL
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books of % are closed', wrong USING ERRCODE = 'JC003';
    END IF;

    WITH numbered AS MATERIALIZED (
        SELECT b.*,
               extract(month FROM b.vou_date)::smallint AS period,
               p.last_voucher_no + row_number() OVER (PARTITION BY b.division, b.fiscal_year,
                                                      extract(month FROM b.vou_date) ORDER BY b.n) AS voucher_no
          FROM (SELECT * FROM unnest(bookings) WITH ORDINALITY AS u (voucher_id, fiscal_year, division, vou_date, event,
                       fund_type_code, item, agency_code, amount, summary, source, source_id, made_by, checked_by, n)) AS b
          JOIN ledger.period AS p
            ON (p.fiscal_year, p.division, p.period)
               = (b.fiscal_year, b.division, extract(month FROM b.vou_date)::smallint)
    ), ruled AS MATERIALIZED (
        SELECT w.event, w.fund_type_code, w.fiscal_year, r.debit_account, r.credit_account
          FROM (SELECT DISTINCT event, fund_type_code, fiscal_year FROM numbered) AS w
          LEFT JOIN LATERAL (
                   SELECT r.debit_account, r.credit_account
                     FROM ledger.posting_rule AS r
                    WHERE r.event = w.event AND r.fund_type_code IN (w.fund_type_code, '*')
                      AND w.fiscal_year BETWEEN r.valid_from_year AND r.valid_to_year
                    ORDER BY r.fund_type_code = '*'
                    LIMIT 1) AS r ON true
    ), lines AS MATERIALIZED (
        -- NULL where no rule fits: NOT NULL below refuses it, and the handler names it.
        SELECT n.voucher_id, n.fiscal_year, n.division, n.period, n.item, n.agency_code, n.amount,
               r.debit_account, r.credit_account
          FROM numbered AS n
          JOIN ruled AS r USING (event, fund_type_code, fiscal_year)
    ), vouchers AS (
        INSERT INTO ledger.voucher (id, fiscal_year, division, period, voucher_no, vou_date, summary, source, source_id,
                                    made_by, checked_by)
        SELECT voucher_id, fiscal_year, division, period, voucher_no, vou_date, summary, source, source_id,
               made_by, checked_by
          FROM numbered
    ), both_sides AS (
        INSERT INTO ledger.voucher_line (voucher_id, line_no, fiscal_year, division, period, account, item,
                                         agency_code, debit, credit)
        SELECT l.voucher_id, s.line_no, l.fiscal_year, l.division, l.period,
               CASE s.line_no WHEN 1 THEN l.debit_account ELSE l.credit_account END, l.item, l.agency_code,
               CASE s.line_no WHEN 1 THEN l.amount ELSE 0 END, CASE s.line_no WHEN 2 THEN l.amount ELSE 0 END
          FROM lines AS l
         CROSS JOIN (VALUES (1::smallint), (2::smallint)) AS s (line_no)
    ), counted AS (
        UPDATE ledger.period AS p
           SET last_voucher_no = w.last_voucher_no
          FROM (SELECT fiscal_year, division, period, max(voucher_no)::integer AS last_voucher_no
                  FROM numbered GROUP BY 1, 2, 3) AS w
         WHERE (p.fiscal_year, p.division, p.period) = (w.fiscal_year, w.division, w.period)
    )
    INSERT INTO ledger.balance AS present (fiscal_year, division, period, account, item, debit, credit)
    SELECT l.fiscal_year, l.division, l.period,
           CASE s.line_no WHEN 1 THEN l.debit_account ELSE l.credit_account END AS account, l.item,
           sum(CASE s.line_no WHEN 1 THEN l.amount ELSE 0 END), sum(CASE s.line_no WHEN 2 THEN l.amount ELSE 0 END)
      FROM (SELECT fiscal_year, division, period, debit_account, credit_account, item, sum(amount) AS amount
              FROM lines GROUP BY 1, 2, 3, 4, 5, 6) AS l
     CROSS JOIN (VALUES (1), (2)) AS s (line_no)
     GROUP BY 1, 2, 3, 4, 5
     ORDER BY l.division, l.fiscal_year, l.period, account, l.item
        ON CONFLICT (division, fiscal_year, period, account, item) DO UPDATE
       SET debit = present.debit + excluded.debit, credit = present.credit + excluded.credit;
EXCEPTION
    WHEN not_null_violation THEN
        RAISE EXCEPTION 'no posting rule for an event that was to be booked' USING ERRCODE = 'JC004';
END
$$;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION '% is never changed: book a further entry', TG_TABLE_NAME USING ERRCODE = 'JC002'; END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.voucher
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.voucher_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
