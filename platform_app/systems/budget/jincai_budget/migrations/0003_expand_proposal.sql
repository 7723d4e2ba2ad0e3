-- 二上二下: how a unit's budget of a year comes to be. 一上 first submission, 一下 control figures, 二上 second submission,
-- 二下 approval. Amounts in fen.
CREATE TABLE budget.proposal (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division    text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code text        NOT NULL CHECK (agency_code <> ''),
    state       text        NOT NULL DEFAULT 'draft'
                CHECK (state IN ('draft', 'first_submitted', 'first_returned', 'control_issued', 'second_submitted',
                                 'second_returned', 'approved')),
    made_by     text        NOT NULL CHECK (made_by <> ''),
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (fiscal_year, division, agency_code),
    -- What lines and steps repeat of it, for their scope, is the proposal's own.
    UNIQUE (id, fiscal_year, division, agency_code)
);
CALL auth.protect('budget.proposal', 'agency_code');

-- A stage's figure for one key. 一上, 一下, 二上, 二下.
CREATE TABLE budget.proposal_line (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposal_id      bigint      NOT NULL,
    stage            text        NOT NULL CHECK (stage IN ('first', 'control', 'second', 'approved')),
    fiscal_year      smallint    NOT NULL,
    division         text        NOT NULL,
    agency_code      text        NOT NULL,
    bgt_type_code    text        NOT NULL CHECK (bgt_type_code <> ''),
    fund_type_code   text        NOT NULL CHECK (fund_type_code <> ''),
    exp_func_code    text        NOT NULL CHECK (exp_func_code <> ''),
    dep_exp_eco_code text        NOT NULL CHECK (dep_exp_eco_code <> ''),
    project_code     text        NOT NULL DEFAULT '',
    summary          text        NOT NULL CHECK (summary <> ''),
    amount           bigint      NOT NULL CHECK (amount >= 0),
    -- 0 none, 1 warn, 2 strict: given at approval.
    control_level    smallint    NOT NULL DEFAULT 2 CHECK (control_level IN (0, 1, 2)),
    made_by          text        NOT NULL CHECK (made_by <> ''),
    made_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (proposal_id, fiscal_year, division, agency_code)
        REFERENCES budget.proposal (id, fiscal_year, division, agency_code),
    UNIQUE (proposal_id, stage, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code)
);
CALL auth.protect('budget.proposal_line', 'agency_code');

COMMENT ON COLUMN budget.proposal_line.amount IS 'fen';

-- Who took which step, when and why; ``amount`` is what the stage that the step is about came to then.
CREATE TABLE budget.proposal_step (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposal_id bigint      NOT NULL,
    fiscal_year smallint    NOT NULL,
    division    text        NOT NULL,
    agency_code text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('create', 'submit', 'issue', 'return', 'approve')),
    from_state  text        NOT NULL,
    to_state    text        NOT NULL,
    reason      text        NOT NULL DEFAULT '' CHECK (kind <> 'return' OR reason <> ''),
    amount      bigint      NOT NULL CHECK (amount >= 0),
    made_by     text        NOT NULL CHECK (made_by <> ''),
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (proposal_id, fiscal_year, division, agency_code)
        REFERENCES budget.proposal (id, fiscal_year, division, agency_code)
);
CREATE INDEX proposal_step_of ON budget.proposal_step (proposal_id, id);
CALL auth.protect('budget.proposal_step', 'agency_code');

CREATE FUNCTION budget.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN RAISE EXCEPTION '%.% is never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'JC002'; END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON budget.proposal_step
    FOR EACH STATEMENT EXECUTE FUNCTION budget.refuse_change();

-- A proposal goes only where the procedure leads, whoever asks.
CREATE FUNCTION budget.keep_to_procedure() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
           ('draft', 'first_submitted'), ('first_returned', 'first_submitted'), ('first_submitted', 'first_returned'),
           ('first_submitted', 'control_issued'), ('control_issued', 'second_submitted'),
           ('second_returned', 'second_submitted'), ('second_submitted', 'second_returned'),
           ('second_submitted', 'approved'))
       OR (OLD.fiscal_year, OLD.division, OLD.agency_code) <> (NEW.fiscal_year, NEW.division, NEW.agency_code) THEN
        RAISE EXCEPTION 'proposal % does not go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_to_procedure BEFORE UPDATE ON budget.proposal
    FOR EACH ROW EXECUTE FUNCTION budget.keep_to_procedure();

-- Only the stage that is being worked on has lines that change. The proposal stays locked, so none changes while a
-- stage is being closed.
CREATE FUNCTION budget.refuse_closed_stage() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    touched record := coalesce(NEW, OLD);
    present text;
BEGIN
    SELECT p.state INTO present FROM budget.proposal AS p WHERE p.id = touched.proposal_id FOR SHARE;
    IF TG_OP = 'UPDATE' AND (OLD.proposal_id, OLD.stage) <> (NEW.proposal_id, NEW.stage)
       OR (touched.stage, coalesce(present, '')) NOT IN (
           ('first', 'draft'), ('first', 'first_returned'), ('control', 'first_submitted'),
           ('second', 'control_issued'), ('second', 'second_returned'), ('approved', 'second_submitted')) THEN
        RAISE EXCEPTION 'stage % of proposal % is closed', touched.stage, touched.proposal_id USING ERRCODE = 'JC002';
    END IF;
    RETURN touched;
END
$$;
CREATE TRIGGER closed_stage_stays BEFORE INSERT OR UPDATE OR DELETE ON budget.proposal_line
    FOR EACH ROW EXECUTE FUNCTION budget.refuse_closed_stage();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON budget.proposal_line
    FOR EACH STATEMENT EXECUTE FUNCTION budget.refuse_change();

-- 指标文号 YYYY-<agency>-NNNN: the last number given to a unit in a year.
CREATE TABLE budget.indicator_number (
    fiscal_year smallint NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division    text     NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code text     NOT NULL CHECK (agency_code <> ''),
    last_no     integer  NOT NULL CHECK (last_no > 0),
    PRIMARY KEY (fiscal_year, division, agency_code)
);
CALL auth.protect('budget.indicator_number', 'agency_code');

-- One approved line makes one indicator, and no second one whatever is tried again.
ALTER TABLE budget.indicator ADD COLUMN proposal_line_id bigint UNIQUE REFERENCES budget.proposal_line;
ALTER TABLE budget.indicator_change ADD COLUMN proposal_id bigint REFERENCES budget.proposal;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON budget.indicator_change
    FOR EACH STATEMENT EXECUTE FUNCTION budget.refuse_change();

-- 2027, 101001, 7 → 2027-101001-0007.
CREATE FUNCTION budget.indicator_no(fiscal_year integer, agency_code text, number bigint) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$ SELECT format('%s-%s-%s', fiscal_year, agency_code, lpad(number::text, greatest(4, length(number::text)), '0')) $$;
