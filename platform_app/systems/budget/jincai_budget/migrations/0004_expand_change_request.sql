-- 指标变更: 调整 moves between two indicators of a unit, 追加 adds, 调减 takes away, 结转 carries a year's rest into the
-- next. What it takes is reserved on the indicator while the request is in flight. Amounts in fen.
CREATE TABLE budget.change_request (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year     smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    division        text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    agency_code     text        NOT NULL CHECK (agency_code <> ''),
    kind            text        NOT NULL CHECK (kind IN ('adjustment', 'addition', 'reduction', 'carry_over')),
    source_id       bigint      REFERENCES budget.indicator,
    target_id       bigint      REFERENCES budget.indicator,
    amount          bigint      NOT NULL CHECK (amount > 0),
    reason          text        NOT NULL CHECK (reason <> ''),
    state           text        NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'approved', 'refused')),
    made_by         text        NOT NULL CHECK (made_by <> ''),
    made_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    checked_by      text        CHECK (checked_by <> made_by),
    checked_at      timestamptz,
    check_reason    text        NOT NULL DEFAULT '',
    idempotency_key text        NOT NULL CHECK (length(idempotency_key) BETWEEN 8 AND 64),
    UNIQUE (division, idempotency_key),
    CHECK ((kind = 'addition') = (source_id IS NULL)),
    -- A rest may be carried to an indicator that its approval makes.
    CHECK (CASE kind WHEN 'reduction' THEN target_id IS NULL
                     WHEN 'carry_over' THEN target_id IS NOT NULL OR state <> 'approved'
                     ELSE target_id IS NOT NULL END),
    CHECK (source_id <> target_id),
    CHECK ((state = 'requested') = (checked_by IS NULL) AND (checked_by IS NULL) = (checked_at IS NULL)),
    CHECK (state <> 'refused' OR check_reason <> '')
);
CREATE INDEX change_request_of_books ON budget.change_request (fiscal_year, division, id);
CREATE INDEX change_request_in_flight ON budget.change_request (source_id) WHERE state = 'requested';
CALL auth.protect('budget.change_request', 'agency_code');

COMMENT ON COLUMN budget.change_request.amount IS 'fen';

-- Decided once; what was asked never changes.
CREATE FUNCTION budget.refuse_other_request() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'requested'
       OR (OLD.fiscal_year, OLD.division, OLD.agency_code, OLD.kind, OLD.source_id, OLD.amount, OLD.reason, OLD.made_by,
           OLD.made_at, OLD.idempotency_key)
          IS DISTINCT FROM
          (NEW.fiscal_year, NEW.division, NEW.agency_code, NEW.kind, NEW.source_id, NEW.amount, NEW.reason, NEW.made_by,
           NEW.made_at, NEW.idempotency_key)
       OR OLD.target_id IS NOT NULL AND OLD.target_id IS DISTINCT FROM NEW.target_id THEN
        RAISE EXCEPTION 'change request % is decided once and asks the same for good', OLD.id USING ERRCODE = 'JC002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER decided_once BEFORE UPDATE OR DELETE ON budget.change_request
    FOR EACH ROW EXECUTE FUNCTION budget.refuse_other_request();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON budget.change_request
    FOR EACH STATEMENT EXECUTE FUNCTION budget.refuse_change();

ALTER TABLE budget.indicator_change
    ADD COLUMN request_id bigint REFERENCES budget.change_request,
    DROP CONSTRAINT indicator_change_kind_check,
    -- 批复, 追加, 调减, 调整, 结转
    ADD CONSTRAINT indicator_change_kind_check
        CHECK (kind IN ('approval', 'addition', 'reduction', 'adjustment', 'carry_over')),
    -- A request changes an indicator once, whatever is tried again.
    ADD CONSTRAINT indicator_change_once UNIQUE (request_id, indicator_id);
