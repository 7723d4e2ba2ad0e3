-- Examples, and marked as such: quotas under the example indicators. What is paid of them is posted by people.
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code, fund_type_code,
                           exp_func_code, dep_exp_eco_code, granted)
SELECT i.fiscal_year, i.division, i.agency_code, i.id, t.pay_type, i.bgt_type_code, i.fund_type_code,
       i.exp_func_code, i.dep_exp_eco_code, i.amount / 4
  FROM budget.indicator AS i
 CROSS JOIN (VALUES ('direct'), ('authorised')) AS t (pay_type)
 WHERE i.indicator_no LIKE '示例-%'
    ON CONFLICT (indicator_id, pay_type) DO NOTHING;
