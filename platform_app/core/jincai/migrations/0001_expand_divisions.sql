-- The standards carrier (标准载体): administrative divisions, GB/T 2260, valid from year to year.
CREATE SCHEMA standards;

CREATE TABLE standards.division (
    code            text     NOT NULL CHECK (code ~ '^[1-9][0-9]{5}$'),
    valid_from_year smallint NOT NULL CHECK (valid_from_year BETWEEN 1949 AND 9999),
    -- NULL: still valid.
    valid_to_year   smallint CHECK (valid_to_year BETWEEN valid_from_year AND 9999),
    name            text     NOT NULL CHECK (name <> ''),
    level           text     NOT NULL CHECK (level IN ('province', 'city', 'county')),
    parent          text     CHECK (parent ~ '^[1-9][0-9]{5}$'),
    -- The fiscal code of the level itself; 998 in place of 000 would be the whole area under it.
    fiscal_code     text     NOT NULL GENERATED ALWAYS AS (code || '000') STORED,
    -- 'release': came with the platform and follows it; 'site': a site's own row, which no release changes.
    source          text     NOT NULL DEFAULT 'site' CHECK (source IN ('release', 'site')),
    PRIMARY KEY (code, valid_from_year),
    CHECK ((level = 'province') = (parent IS NULL)),
    -- In one year a code means one division. Codes as one-number ranges: no extension is needed.
    CONSTRAINT division_valid_once EXCLUDE USING gist (
        int4range(code::integer, code::integer, '[]') WITH &&,
        int4range(valid_from_year::integer, valid_to_year::integer, '[]') WITH &&
    )
);

CREATE INDEX division_parent ON standards.division (parent, code);

COMMENT ON TABLE standards.division IS 'Administrative divisions by GB/T 2260, one row per code and period';
