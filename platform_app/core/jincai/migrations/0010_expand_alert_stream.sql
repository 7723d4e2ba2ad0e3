-- 预警流: whoever watches is told of every alert once it is committed, in whatever order transactions end.

-- The transaction that found it. A watcher's place in the stream is a snapshot: what that snapshot does not see, and a
-- later one does, is new, however small its id. Ids alone would lose an alert whose transaction ended late.
ALTER TABLE monitor.alert ADD COLUMN made_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX alert_made_in ON monitor.alert (made_in, id) WHERE NOT shadow;

-- One empty call per transaction, whatever it found: who is woken reads for himself, within his own scope.
CREATE FUNCTION monitor.tell() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT FROM found AS f WHERE NOT f.shadow) THEN
        PERFORM pg_notify('monitor_alert', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER told AFTER INSERT ON monitor.alert REFERENCING NEW TABLE AS found
    FOR EACH STATEMENT EXECUTE FUNCTION monitor.tell();
