-- How far the rollout is, as the control node published it last (`rollout progress publish`): a row for each site.
CREATE TABLE jincai.rollout_progress (
    site         text        PRIMARY KEY CHECK (site ~ '^[a-z][a-z0-9]{1,20}$'),
    division     text        NOT NULL CHECK (division ~ '^[1-9][0-9]{5}$'),
    sheet        jsonb       NOT NULL,
    taken_at     timestamptz NOT NULL,
    published_by text        NOT NULL,
    simulated    boolean     NOT NULL,
    loaded_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Not forced: the schema's owner, who loads it, has no session.
ALTER TABLE jincai.rollout_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON jincai.rollout_progress
    USING ((SELECT auth.sees_all()) OR division = ANY ((SELECT auth.divisions())::text[]));
COMMENT ON TABLE jincai.rollout_progress IS '推进情况';
