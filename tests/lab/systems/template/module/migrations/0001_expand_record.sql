CREATE SCHEMA @SCHEMA@;
CREATE TABLE @SCHEMA@.record (
    id     text   PRIMARY KEY,
    title  text   NOT NULL,
    amount bigint NOT NULL
);
