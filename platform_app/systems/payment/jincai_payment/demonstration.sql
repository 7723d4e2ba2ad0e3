-- Examples, and marked as such: quotas under the example indicators. What is paid of them is posted by people.
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code, fund_type_code,
                           exp_func_code, dep_exp_eco_code, granted)
SELECT i.fiscal_year, i.division, i.agency_code, i.id, t.pay_type, i.bgt_type_code, i.fund_type_code,
       i.exp_func_code, i.dep_exp_eco_code, i.amount / 4
  FROM budget.indicator AS i
 CROSS JOIN (VALUES ('direct'), ('authorised')) AS t (pay_type)
 WHERE i.indicator_no LIKE '示例-%'
    ON CONFLICT (indicator_id, pay_type) DO NOTHING;
-- What waits in somebody's inbox: a plan to approve, an application to review.
INSERT INTO payment.plan (fiscal_year, division, agency_code, indicator_id, month, pay_type, amount, purpose,
                          idempotency_key, made_by)
SELECT i.fiscal_year, i.division, i.agency_code, i.id, 4, 'direct', i.amount / 10, '示例:四月用款',
       'demonstration-plan-' || i.id, 'demonstration'
  FROM budget.indicator AS i
 WHERE i.indicator_no LIKE '示例-%'
    ON CONFLICT (division, idempotency_key) DO NOTHING;
WITH made AS (
    INSERT INTO payment.application (fiscal_year, division, agency_code, quota_id, kind, payee_name, payee_account,
                                     payee_bank, payee_kind_code, set_mode_code, purpose, amount, pay_date, state,
                                     idempotency_key, made_by)
    SELECT q.fiscal_year, q.division, q.agency_code, q.id, 'payment', '示例文具店', '4500000000000001', '示例银行',
           '1', '1', '示例:办公用品', 1230000, make_date(q.fiscal_year, 4, 5), 'submitted',
           'demonstration-application-' || q.id, 'demonstration'
      FROM payment.quota AS q
      JOIN budget.indicator AS i ON i.id = q.indicator_id
     WHERE i.indicator_no LIKE '示例-%' AND q.pay_type = 'direct'
        ON CONFLICT (division, idempotency_key) DO NOTHING
    RETURNING *
)
INSERT INTO payment.application_step (application_id, fiscal_year, division, agency_code, revision, action, by_whom)
SELECT m.id, m.fiscal_year, m.division, m.agency_code, m.revision, s.action, m.made_by
  FROM made AS m
 CROSS JOIN (VALUES (1, 'made'), (2, 'submitted')) AS s (n, action)
 ORDER BY m.id, s.n;
-- 账户备案: an account of the example unit's own, which no payment may go to unseen.
INSERT INTO payment.own_account (division, agency_code, holder, account, made_by)
SELECT DISTINCT i.division, i.agency_code, '示例:市机关事务局', '4500100000000101', '示例'
  FROM budget.indicator AS i
 WHERE i.indicator_no LIKE '示例-%' AND i.agency_code = '101001'
    ON CONFLICT DO NOTHING;
