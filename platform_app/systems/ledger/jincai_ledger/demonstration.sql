-- Examples, and marked as such: nobody's books. Accounts are a part of the chart of 2015.
INSERT INTO ledger.account (chart, code, name, kind)
VALUES ('2015', '1001', '国库存款',       'asset'),
       ('2015', '4001', '一般公共预算本级收入', 'revenue'),
       ('2015', '5001', '一般公共预算本级支出', 'expenditure')
    ON CONFLICT (chart, code) DO NOTHING;

WITH booked AS (
    INSERT INTO ledger.voucher (fiscal_year, division, period, voucher_no, vou_date, summary)
    VALUES (2016, '450100', 3, 1, '2016-03-10', '示例:税收入库'),
           (2016, '450100', 4, 1, '2016-04-15', '示例:校舍维修支出')
        ON CONFLICT (fiscal_year, division, period, voucher_no) DO NOTHING
    RETURNING id, period)
INSERT INTO ledger.voucher_line (voucher_id, line_no, chart, account, debit, credit)
SELECT booked.id, line.line_no, '2015', line.account, line.debit, line.credit
  FROM booked
  JOIN (VALUES (3, 1, '1001', 820000000::bigint,         0::bigint),
               (3, 2, '4001',         0,         820000000),
               (4, 1, '5001', 356000000,                 0),
               (4, 2, '1001',         0,         356000000))
       AS line (period, line_no, account, debit, credit) USING (period);
