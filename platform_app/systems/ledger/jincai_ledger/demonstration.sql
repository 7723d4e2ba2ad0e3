-- Examples, and marked as such: taxes that nobody paid.
SELECT ledger.book(array_agg(ROW(nextval('ledger.voucher_id'), 2016, '450100', d.day, 'revenue', '1', '10101', '', d.amount,
                                 '示例:税收入库', 'demonstration', d.n, '示例', '示例')::ledger.booking ORDER BY d.n))
  FROM (VALUES (1, date '2016-03-10', 820000000::bigint), (2, date '2016-04-15', 356000000)) AS d (n, day, amount)
 WHERE NOT EXISTS (SELECT FROM ledger.voucher WHERE source = 'demonstration')
HAVING count(*) > 0;
