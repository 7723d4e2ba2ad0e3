-- Examples, and marked as such: nobody's budget.
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, summary, amount)
VALUES (2016, '450100', '示例-0001', '101001', '1', '1', '2010301', '30201', '示例:行政运行',       1250000000),
       (2016, '450100', '示例-0002', '205001', '1', '1', '2050202', '31001', '示例:小学教育',       8640000000),
       (2016, '450100', '示例-0003', '214001', '1', '1', '2140104', '31005', '示例:公路新建',      32000000000),
       (2016, '450200', '示例-0001', '101001', '1', '1', '2010301', '30201', '示例:行政运行',        980000000)
    ON CONFLICT (fiscal_year, division, indicator_no) DO NOTHING;
