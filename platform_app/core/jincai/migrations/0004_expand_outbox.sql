-- 综合信息交换: what a business transaction has to tell others, written with it. No order, no chain, no shared lock: the
-- sequencer gives it those later. What never changes is named by ref and rendered when it is sent; what may change
-- carries its payload.
CREATE SCHEMA hub;

CREATE TABLE hub.outbox (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text        NOT NULL,
    division text        NOT NULL,
    ref      bigint,
    payload  jsonb,
    at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    CHECK ((ref IS NULL) <> (payload IS NULL))
);
CALL auth.protect('hub.outbox');
