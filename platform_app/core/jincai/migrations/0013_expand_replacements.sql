-- Editions of one system that replaced each other. A row is written with the first documents taken over, settled once
-- what was written meanwhile has followed, and confirmed when the former edition's schemas are removed.
CREATE TABLE jincai.replacement (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code         text        NOT NULL,
    from_dist    text        NOT NULL,
    from_version text        NOT NULL,
    from_release text        NOT NULL,
    from_schemas text[]      NOT NULL,
    to_dist      text        NOT NULL CHECK (to_dist <> from_dist),
    to_version   text        NOT NULL,
    documents    bigint      NOT NULL,
    sha256       text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    taken_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at   timestamptz,
    confirmed_at timestamptz
);
CREATE UNIQUE INDEX replacement_open ON jincai.replacement (code) WHERE settled_at IS NULL;
COMMENT ON TABLE jincai.replacement IS '接入系统版本替换';
