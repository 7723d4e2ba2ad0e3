-- 指标: what a unit may spend in a year, for what. Amounts in fen.
CREATE SCHEMA budget;

CREATE TABLE budget.indicator (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year      smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division         text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    indicator_no     text        NOT NULL CHECK (indicator_no <> ''),
    agency_code      text        NOT NULL CHECK (agency_code <> ''),
    bgt_type_code    text        NOT NULL,
    fund_type_code   text        NOT NULL,
    exp_func_code    text        NOT NULL,
    dep_exp_eco_code text        NOT NULL,
    project_code     text        NOT NULL DEFAULT '',
    summary          text        NOT NULL,
    amount           bigint      NOT NULL CHECK (amount >= 0),
    -- An adjustment in flight reserves; approved plans release the rest as quota.
    reserved         bigint      NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    planned          bigint      NOT NULL DEFAULT 0 CHECK (planned >= 0),
    -- 0 none, 1 warn, 2 strict: what happens when plans go above the amount.
    control_level    smallint    NOT NULL DEFAULT 2 CHECK (control_level IN (0, 1, 2)),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (fiscal_year, division, indicator_no),
    CONSTRAINT strict_is_never_exceeded CHECK (control_level < 2 OR reserved + planned <= amount)
);
CREATE INDEX indicator_of_agency ON budget.indicator (division, agency_code, fiscal_year);
CALL auth.protect('budget.indicator', 'agency_code');

COMMENT ON COLUMN budget.indicator.amount IS 'fen';

-- Every change of an indicator's amount, once and for good: who, when and why.
CREATE TABLE budget.indicator_change (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    indicator_id bigint      NOT NULL REFERENCES budget.indicator,
    division     text        NOT NULL,
    -- 批复, 追加, 调整, 结转
    kind         text        NOT NULL CHECK (kind IN ('approval', 'addition', 'adjustment', 'carry_over')),
    amount       bigint      NOT NULL,
    reason       text        NOT NULL CHECK (reason <> ''),
    made_by      text        NOT NULL,
    checked_by   text        NOT NULL CHECK (checked_by <> made_by),
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX indicator_change_of ON budget.indicator_change (indicator_id, id);
CALL auth.protect('budget.indicator_change');
