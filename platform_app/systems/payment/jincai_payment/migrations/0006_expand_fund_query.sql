-- 财政资金查询: what payments are found by, on a table of its own, filled from hub.outbox some seconds behind. Beside the
-- payments themselves these indexes would cost posting five times what it takes. Amounts in fen.

-- How texts are compared: without case and without the full-width twins of letters.
CREATE FUNCTION payment.searched(said text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(normalize(said, NFKC)) $$;

-- What a text with the word in it has among its grams; not enough to hold the word: they may stand in another order.
CREATE FUNCTION payment.grams_of(word text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog
AS $$
    SELECT string_agg(DISTINCT '''' || replace(replace(g.gram, '\', '\\'), '''', '''''') || ''''
                               || CASE WHEN length(word) = 1 THEN ':*' ELSE '' END, ' & ')::tsquery
      FROM generate_series(1, length(word)) AS i
     CROSS JOIN LATERAL (VALUES (substr(word, i, 2)), (substr(word, i, 3))) AS g (gram)
     WHERE CASE length(g.gram)
                WHEN 1 THEN length(word) = 1
                -- What three of them say, two need not.
                WHEN 2 THEN octet_length(g.gram) > 2 OR word !~ '[\x01-\x7f]{3}'
                ELSE octet_length(g.gram) = 3
           END
$$;

-- A payment as it is looked for. What the indexes are asked is not leakproof, so policies would lose them: the table's owner
-- is not held to them here, and nobody else reads it. payment.find() applies the scope itself.
CREATE TABLE payment.search (
    payment_id       bigint   PRIMARY KEY,
    amount           bigint   NOT NULL,
    pay_date         date     NOT NULL,
    fiscal_year      smallint NOT NULL,
    division         text     COLLATE "C" NOT NULL,
    agency_code      text     COLLATE "C" NOT NULL,
    kind             text     COLLATE "C" NOT NULL,
    pay_type         text     COLLATE "C" NOT NULL,
    set_mode_code    text     COLLATE "C" NOT NULL,
    bgt_type_code    text     COLLATE "C" NOT NULL,
    fund_type_code   text     COLLATE "C" NOT NULL,
    exp_func_code    text     COLLATE "C" NOT NULL,
    dep_exp_eco_code text     COLLATE "C" NOT NULL,
    project_code     text     COLLATE "C" NOT NULL,
    payee_account    text     COLLATE "C" NOT NULL,
    payee_name       text     COLLATE "C" NOT NULL,
    purpose          text     COLLATE "C" NOT NULL,
    -- Every two characters of purpose and payee that stand together; of ASCII also every three, since there are few pairs
    -- of digits. The last character stands alone, so that each one begins something.
    grams            tsvector NOT NULL
);
CREATE INDEX search_by_date ON payment.search (pay_date, payment_id);
CREATE INDEX search_by_amount ON payment.search (amount, payment_id);
CREATE INDEX search_of_division_by_date ON payment.search (division, pay_date, payment_id);
CREATE INDEX search_of_division_by_amount ON payment.search (division, amount, payment_id);
CREATE INDEX search_of_agency ON payment.search (agency_code, division);
CREATE INDEX search_of_account ON payment.search (payee_account);
CREATE INDEX search_of_function ON payment.search (exp_func_code);
CREATE INDEX search_of_item ON payment.search (dep_exp_eco_code);
CREATE INDEX search_of_mode ON payment.search (set_mode_code);
CREATE INDEX search_of_project ON payment.search (project_code) WHERE project_code <> '';
CREATE INDEX search_of_kind ON payment.search (kind) WHERE kind <> 'payment';
CREATE INDEX search_of_grams ON payment.search USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 2048);
ALTER TABLE payment.search ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON payment.search USING (
    ((SELECT auth.sees_all()) OR division = ANY ((SELECT auth.divisions())::text[]))
    AND ((SELECT auth.agencies()) IS NULL OR agency_code = ANY ((SELECT auth.agencies())::text[])));
-- Most grams are rare; the planner is to know the others.
ALTER TABLE payment.search ALTER COLUMN grams SET STATISTICS 500;

-- How far hub.outbox has been read. Numbers come from a sequence, and who took a smaller one may commit later: each
-- number up to `done` that was not there is kept as a gap until everybody who could still bring it has ended. `old` gaps
-- were all seen before transaction `until` began, `young` ones perhaps not.
-- This holds because post() has locked its units, and so has a transaction number, before it takes a number here.
CREATE TABLE payment.search_cursor (
    one   boolean        PRIMARY KEY DEFAULT true CHECK (one),
    done  bigint         NOT NULL DEFAULT 0,
    young int8multirange NOT NULL DEFAULT '{}',
    old   int8multirange NOT NULL DEFAULT '{}',
    until xid8           NOT NULL DEFAULT '0'
);
INSERT INTO payment.search_cursor DEFAULT VALUES;

-- Payments that may still wait to be sent to a bank: all that do are here, and some that no longer do, until they are swept
-- out. What waits is found among these few, and not as what a million instructions do not name.
CREATE TABLE payment.search_unsent (payment_id bigint PRIMARY KEY);

-- Takes the next payments of the outbox in, `most` new ones and `most` late ones at most: how many it was, and whether
-- there may be more. All or nothing; while another process does it, nothing.
CREATE FUNCTION payment.index_search(most integer) RETURNS TABLE (indexed integer, more boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    was payment.search_cursor;
    now payment.search_cursor;
    seen record;
BEGIN
    IF NOT auth.sees_all() THEN
        RAISE EXCEPTION 'only who sees every division takes payments into the search' USING ERRCODE = '42501';
    END IF;
    SELECT * INTO was FROM payment.search_cursor FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 0, false;
        RETURN;
    END IF;
    -- One statement, so that the snapshot it tells is the one it looks with.
    WITH fresh AS MATERIALIZED (
        SELECT o.id, o.kind, o.ref FROM hub.outbox AS o WHERE o.id > was.done ORDER BY o.id LIMIT most
    ), late AS MATERIALIZED (
        SELECT o.id, o.kind, o.ref
          FROM unnest(was.young + was.old) AS gap
          JOIN hub.outbox AS o ON o.id >= lower(gap) AND o.id < upper(gap)
         LIMIT most
    )
    SELECT pg_current_snapshot() AS snapshot,
           (SELECT count(*) FROM fresh) AS fresh,
           (SELECT count(*) FROM late) AS late,
           (SELECT max(f.id) FROM fresh AS f) AS last,
           (SELECT range_agg(int8range(f.id, f.id + 1)) FROM fresh AS f) AS fresh_ids,
           coalesce((SELECT range_agg(int8range(l.id, l.id + 1)) FROM late AS l), '{}') AS late_ids,
           ARRAY(SELECT f.ref FROM fresh AS f WHERE f.kind = 'payment'
                 UNION
                 SELECT l.ref FROM late AS l WHERE l.kind = 'payment') AS payments
      INTO seen;
    now := was;
    now.young := was.young - seen.late_ids;
    now.old := was.old - seen.late_ids;
    IF seen.late < most AND pg_snapshot_xmin(seen.snapshot) >= was.until THEN
        -- Whoever held an old gap has ended, and what it left was seen just now.
        now.old := now.young;
        now.young := '{}';
        now.until := pg_snapshot_xmax(seen.snapshot);
    END IF;
    IF seen.fresh > 0 THEN
        now.done := seen.last;
        now.young := now.young + (int8multirange(int8range(was.done + 1, seen.last + 1)) - seen.fresh_ids);
    END IF;
    INSERT INTO payment.search
    SELECT p.id, p.amount, p.pay_date, p.fiscal_year, p.division, p.agency_code, p.kind, p.pay_type, p.set_mode_code,
           p.bgt_type_code, p.fund_type_code, p.exp_func_code, p.dep_exp_eco_code, p.project_code, p.payee_account,
           t.payee_name, t.purpose,
           -- Not a function of its own, which would take longer to call than to answer.
           (SELECT array_to_tsvector(
                       array_agg(substr(g.said, i, 2))
                       || array_agg(substr(g.said, i, 3)) FILTER (WHERE octet_length(substr(g.said, i, 3)) = 3))
              FROM (SELECT t.purpose || E'\n' || t.payee_name) AS g (said)
             CROSS JOIN generate_series(1, length(g.said)) AS i)
      FROM payment.payment AS p
     CROSS JOIN LATERAL (SELECT payment.searched(p.payee_name), payment.searched(p.purpose)
                         OFFSET 0) AS t (payee_name, purpose)
     WHERE p.id = ANY (seen.payments)
     ORDER BY p.id
        ON CONFLICT (payment_id) DO NOTHING;
    INSERT INTO payment.search_unsent
    SELECT p.id
      FROM payment.payment AS p
     WHERE p.id = ANY (seen.payments) AND p.kind = 'payment'
       AND NOT EXISTS (SELECT FROM payment.bank_order AS b WHERE b.payment_id = p.id AND b.state <> 'waiting')
     ORDER BY p.id
        ON CONFLICT (payment_id) DO NOTHING;
    -- With nothing to do, nothing is written.
    IF (now.done, now.young, now.old) IS DISTINCT FROM (was.done, was.young, was.old) THEN
        UPDATE payment.search_cursor
           SET done = now.done, young = now.young, old = now.old, until = now.until;
    END IF;
    RETURN QUERY SELECT cardinality(seen.payments), seen.fresh = most OR seen.late = most;
END
$$;

-- Looks at the next `most` of payment.search_unsent after a payment, and removes what is no longer to be sent: where to go
-- on, 0 at the end.
CREATE FUNCTION payment.sweep_unsent(after bigint, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    looked bigint[] := ARRAY(SELECT u.payment_id FROM payment.search_unsent AS u WHERE u.payment_id > after
                              ORDER BY u.payment_id LIMIT most);
BEGIN
    DELETE FROM payment.search_unsent AS u
     USING payment.bank_order AS b
     WHERE u.payment_id = ANY (looked) AND b.payment_id = u.payment_id AND b.state <> 'waiting';
    RETURN CASE WHEN cardinality(looked) < most THEN 0 ELSE looked[most] END;
END
$$;

-- What the bank's side says of a payment, found from the few rows that are in a state; see BANK_STATE in bank/state.py.
CREATE INDEX bank_order_ended ON payment.bank_order (state, payment_id) WHERE state IN ('sent', 'failed', 'void');

-- What is asked, as a condition over payment.search AS s; $1 is the object that was asked, $2 its words' grams.
CREATE FUNCTION payment.search_condition(asked jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT coalesce(string_agg(c.condition, ' AND ' ORDER BY c.n), 'true')
      FROM (SELECT 0, named.condition
              FROM (VALUES
                   ('fiscal_year',      's.fiscal_year = ($1->>''fiscal_year'')::smallint'),
                   ('division',         's.division = $1->>''division'''),
                   ('agency_code',      's.agency_code = $1->>''agency_code'''),
                   ('kind',             's.kind = $1->>''kind'''),
                   ('pay_type',         's.pay_type = $1->>''pay_type'''),
                   ('set_mode_code',    's.set_mode_code = $1->>''set_mode_code'''),
                   ('bgt_type_code',    's.bgt_type_code = $1->>''bgt_type_code'''),
                   ('fund_type_code',   's.fund_type_code = $1->>''fund_type_code'''),
                   -- A class of items holds those below it, an account is known by how it begins.
                   ('exp_func_code',    's.exp_func_code ^@ ($1->>''exp_func_code'')'),
                   ('dep_exp_eco_code', 's.dep_exp_eco_code ^@ ($1->>''dep_exp_eco_code'')'),
                   ('project_code',     's.project_code = $1->>''project_code'' AND s.project_code <> '''''),
                   ('payee_account',    's.payee_account ^@ ($1->>''payee_account'')'),
                   ('pay_from',         's.pay_date >= ($1->>''pay_from'')::date'),
                   ('pay_to',           's.pay_date <= ($1->>''pay_to'')::date'),
                   ('amount_from',      's.amount >= ($1->>''amount_from'')::bigint'),
                   ('amount_to',        's.amount <= ($1->>''amount_to'')::bigint'),
                   ('words',            's.grams @@ $2')) AS named (name, condition)
             WHERE asked ? named.name
            UNION ALL
            -- Grams may stand in another order than in the word. No word holds the line break between the two.
            SELECT 1, CASE w.word->>'of'
                           WHEN 'purpose' THEN format('strpos(s.purpose, %L) > 0', w.word->>'word')
                           WHEN 'payee' THEN format('strpos(s.payee_name, %L) > 0', w.word->>'word')
                           ELSE format('strpos(s.purpose || E''\n'' || s.payee_name, %L) > 0', w.word->>'word')
                      END
              FROM jsonb_array_elements(asked->'words') AS w (word)
            UNION ALL
            SELECT 2, state.condition
              FROM (VALUES
                   ('waiting', 's.payment_id IN (SELECT u.payment_id FROM payment.search_unsent AS u)
                       AND NOT EXISTS (SELECT FROM payment.bank_order AS b
                                        WHERE b.payment_id = s.payment_id AND b.state <> ''waiting'')'),
                   ('sent', 's.payment_id IN (SELECT b.payment_id FROM payment.bank_order AS b WHERE b.state = ''sent'')'),
                   ('failed', 's.payment_id IN (SELECT b.payment_id FROM payment.bank_order AS b WHERE b.state = ''failed'')'),
                   ('void', 's.payment_id IN (SELECT b.payment_id FROM payment.bank_order AS b WHERE b.state = ''void'')'),
                   ('paid', 's.payment_id IN (
                       SELECT b.payment_id FROM payment.bank_order AS b WHERE b.state = ''paid'' AND b.clearing_id IS NULL
                       UNION ALL
                       SELECT b.payment_id FROM payment.clearing AS c JOIN payment.bank_order AS b ON b.clearing_id = c.id
                        WHERE c.state <> ''booked'')'),
                   -- Most are: asked one by one (OFFSET 0 says so) until enough are found, if any is at all.
                   ('cleared', 'EXISTS (SELECT FROM payment.clearing AS c WHERE c.state = ''booked'')
                       AND s.kind = ''payment''
                       AND EXISTS (SELECT FROM payment.bank_order AS b JOIN payment.clearing AS c ON c.id = b.clearing_id
                                    WHERE b.payment_id = s.payment_id AND c.state = ''booked'' OFFSET 0)')) AS state (name, condition)
             WHERE state.name = asked->>'bank_state') AS c (n, condition)
$$;

-- Ids of the payments that the session may see and that match, sorted, from `skip` on, `take` at most. `total` counts all
-- up to `most`; `most` + 1 stands for more. Few matches are all fetched and sorted; many are met soon along the order.
CREATE FUNCTION payment.find(asked jsonb, sort text, take integer, skip integer, most integer,
                             OUT ids bigint[], OUT total bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
    -- Compiling a plan would take longer than following it.
    SET jit = off SET work_mem = '16MB'
AS $$
DECLARE
    divisions CONSTANT text[] := auth.divisions();
    agencies CONSTANT text[] := auth.agencies();
    grams CONSTANT tsquery := (SELECT string_agg('(' || payment.grams_of(w.word->>'word')::text || ')', ' & ')::tsquery
                                 FROM jsonb_array_elements(asked->'words') AS w (word));
    sorted CONSTANT text := CASE sort
        WHEN 'pay_date' THEN 'pay_date, payment_id'
        WHEN '-pay_date' THEN 'pay_date DESC, payment_id DESC'
        WHEN 'amount' THEN 'amount, payment_id'
        WHEN '-amount' THEN 'amount DESC, payment_id DESC' END;
    condition text := payment.search_condition(asked);
BEGIN
    IF NOT auth.sees_all() THEN
        condition := condition || CASE WHEN cardinality(divisions) = 1 THEN ' AND s.division = ($3)[1]'
                                       ELSE ' AND s.division = ANY ($3)' END;
    END IF;
    IF agencies IS NOT NULL THEN
        condition := condition || CASE WHEN cardinality(agencies) = 1 THEN ' AND s.agency_code = ($4)[1]'
                                       ELSE ' AND s.agency_code = ANY ($4)' END;
    END IF;
    EXECUTE format($q$
        WITH found AS MATERIALIZED (
            SELECT s.payment_id, s.pay_date, s.amount FROM payment.search AS s WHERE %s LIMIT $5 + 1
        )
        SELECT c.total, CASE WHEN c.total <= $5 THEN
                   ARRAY(SELECT payment_id FROM found ORDER BY %s LIMIT $6 OFFSET $7) END
          FROM (SELECT count(*) AS total FROM found) AS c$q$, condition, sorted)
       INTO total, ids
      USING asked, grams, divisions, agencies, most, take, skip;
    IF ids IS NULL THEN
        EXECUTE format('SELECT ARRAY(SELECT s.payment_id FROM payment.search AS s WHERE %s ORDER BY %s LIMIT $5 OFFSET $6)',
                       condition, sorted)
           INTO ids
          USING asked, grams, divisions, agencies, take, skip;
    END IF;
END
$$;

-- 常用查询: what a person asks again and again, by a name of their own. A shared one is seen by whom nothing of its maker's
-- scope is closed to: what a department looks for is not told to the units.
CREATE TABLE payment.saved_query (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_by   text        NOT NULL CHECK (made_by <> ''),
    name      text        NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    shared    boolean     NOT NULL DEFAULT false,
    asked     jsonb       NOT NULL CHECK (octet_length(asked::text) <= 8192),
    -- The maker's scope; NULL: all.
    divisions text[],
    agencies  text[],
    made_at   timestamptz NOT NULL DEFAULT statement_timestamp(),
    UNIQUE (made_by, name)
);
CREATE INDEX saved_query_shared ON payment.saved_query (name) WHERE shared;
ALTER TABLE payment.saved_query ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment.saved_query FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON payment.saved_query USING (
    ((SELECT auth.sees_all()) OR divisions <@ (SELECT auth.divisions())::text[])
    AND ((SELECT auth.agencies()) IS NULL OR agencies <@ (SELECT auth.agencies())::text[]));
