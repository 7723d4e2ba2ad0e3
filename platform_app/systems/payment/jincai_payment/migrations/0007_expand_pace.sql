-- 执行进度: how much of each indicator was paid at the end of a day. Amounts in fen.

-- Of one division, or with NULL of all that the asker sees. Inlined into what asks it, so that only what is asked
-- for is read: a question that needs no sums adds nothing up. What undoes a payment counts against it on its own day.
CREATE FUNCTION payment.pace(day date, only_division text)
    RETURNS TABLE (id bigint, fiscal_year smallint, division text, agency_code text, bgt_type_code text,
                   fund_type_code text, exp_func_code text, dep_exp_eco_code text, project_code text, amount bigint,
                   paid bigint, paid_late bigint, elapsed_days integer, year_days integer, as_of date)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT i.id, i.fiscal_year, i.division, i.agency_code, i.bgt_type_code, i.fund_type_code, i.exp_func_code,
           i.dep_exp_eco_code, i.project_code, i.amount, coalesce(s.paid, 0), coalesce(s.paid_late, 0),
           extract(doy FROM $1)::integer, extract(doy FROM make_date(i.fiscal_year, 12, 31))::integer, $1
      FROM budget.indicator AS i
      LEFT JOIN (SELECT q.indicator_id, sum(u.paid)::bigint AS paid, sum(u.paid_late)::bigint AS paid_late
                   -- First by quota, so that few rows are joined.
                   FROM (SELECT p.quota_id, sum(p.amount) AS paid,
                                coalesce(sum(p.amount) FILTER (
                                    WHERE p.pay_date > make_date(p.fiscal_year, 12, 20)), 0) AS paid_late
                           FROM payment.payment AS p
                          WHERE ($2 IS NULL OR p.division = $2)
                            AND p.pay_date BETWEEN make_date(extract(year FROM $1)::integer, 1, 1) AND $1
                            AND p.fiscal_year = extract(year FROM $1)::smallint
                          GROUP BY 1) AS u
                   JOIN payment.quota AS q ON q.id = u.quota_id
                  WHERE ($2 IS NULL OR q.division = $2)
                  GROUP BY 1) AS s ON s.indicator_id = i.id
     WHERE ($2 IS NULL OR i.division = $2)
       AND i.fiscal_year = extract(year FROM $1)::smallint
$$;
