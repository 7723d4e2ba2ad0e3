-- 指标: what a unit may spend in a year, for what. Amounts in fen.
CREATE SCHEMA budget;

CREATE TABLE budget.indicator (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year   smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division      text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    indicator_no  text        NOT NULL CHECK (indicator_no <> ''),
    agency_code   text        NOT NULL CHECK (agency_code <> ''),
    exp_func_code text        NOT NULL CHECK (exp_func_code ~ '^[0-9]{3}([0-9]{2}([0-9]{2})?)?$'),
    summary       text        NOT NULL,
    amount        bigint      NOT NULL,
    -- 0 none, 1 warn, 2 strict: what happens when a plan or payment goes above the amount.
    control_level smallint    NOT NULL DEFAULT 2 CHECK (control_level IN (0, 1, 2)),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (fiscal_year, division, indicator_no)
);

COMMENT ON COLUMN budget.indicator.amount IS 'fen';
