-- The standards carrier (标准载体): code tables of a fiscal year, published as numbered editions. A published edition
-- never changes; a correction is the next edition. Divisions have a table of their own (0001).
CREATE TABLE standards.edition (
    fiscal_year  smallint    NOT NULL CHECK (fiscal_year BETWEEN 1949 AND 9999),
    number       integer     NOT NULL CHECK (number > 0),
    state        text        NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published')),
    note         text        NOT NULL DEFAULT '',
    made_by      text        NOT NULL CHECK (made_by <> ''),
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_by text        CHECK (published_by <> ''),
    published_at timestamptz,
    PRIMARY KEY (fiscal_year, number),
    CHECK ((state = 'published') = (published_at IS NOT NULL AND published_by IS NOT NULL))
);

-- One draft at a time: two people cannot prepare diverging successors.
CREATE UNIQUE INDEX edition_one_draft ON standards.edition (fiscal_year) WHERE state = 'draft';

-- element: agency 预算单位, exp_func 功能分类, dep_exp_eco 部门经济分类, gov_exp_eco 政府经济分类, fund_type 资金性质,
-- bgt_type 预算类型, set_mode 结算方式, payee_kind 收款人类别, revenue 收入分类, account 会计科目, account_map 科目对照.
CREATE TABLE standards.code (
    fiscal_year smallint NOT NULL,
    edition     integer  NOT NULL,
    element     text     NOT NULL CHECK (element ~ '^[a-z_]{3,30}$'),
    code        text     NOT NULL CHECK (code ~ '^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$'),
    name        text     NOT NULL CHECK (name <> '' AND length(name) <= 200),
    parent      text,
    -- What only this element has: an agency its division, an account its kind, a mapping its target.
    attributes  jsonb    NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    PRIMARY KEY (fiscal_year, edition, element, code),
    FOREIGN KEY (fiscal_year, edition) REFERENCES standards.edition,
    -- Deferred: an import brings children and parents in any order.
    FOREIGN KEY (fiscal_year, edition, element, parent) REFERENCES standards.code DEFERRABLE INITIALLY DEFERRED
);

CREATE FUNCTION standards.refuse_published() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    touched record := coalesce(NEW, OLD);
BEGIN
    IF EXISTS (SELECT FROM standards.edition AS e
                WHERE (e.fiscal_year, e.number) = (touched.fiscal_year, touched.edition) AND e.state = 'published') THEN
        RAISE EXCEPTION 'edition % of % is published and never changes', touched.edition, touched.fiscal_year
              USING ERRCODE = 'JC001';
    END IF;
    RETURN touched;
END
$$;
CREATE TRIGGER published_stays BEFORE INSERT OR UPDATE OR DELETE ON standards.code
    FOR EACH ROW EXECUTE FUNCTION standards.refuse_published();

-- The edition in force: the newest published one of the year.
CREATE VIEW standards.in_force WITH (security_invoker = true) AS
    SELECT fiscal_year, max(number) AS edition
      FROM standards.edition
     WHERE state = 'published'
     GROUP BY fiscal_year;
