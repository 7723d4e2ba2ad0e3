-- Examples, and marked as such: nobody was paid.
INSERT INTO payment.payment_order (fiscal_year, division, order_no, agency_code, pay_type, exp_func_code,
                                   payee_name, payee_account, purpose, amount, state, pay_date)
VALUES (2016, '450100', '示例-000001', '101001', 'authorised', '2010301',
        '示例文具店', '0000000000000001', '示例:办公用品',    1268050, 'cleared', '2016-03-08'),
       (2016, '450100', '示例-000002', '205001', 'direct',     '2050202',
        '示例建筑公司', '0000000000000002', '示例:校舍维修', 356000000, 'paid',    '2016-04-15'),
       (2016, '450100', '示例-000003', '205001', 'direct',     '2050202',
        '示例图书公司', '0000000000000003', '示例:图书采购',  48260000, 'reviewed', '2016-05-20'),
       (2016, '450100', '示例-000004', '101001', 'authorised', '2010301',
        '示例文具店', '0000000000000001', '示例:退货退款',      -56000, 'refunded', '2016-05-23')
    ON CONFLICT (fiscal_year, division, order_no) DO NOTHING;
