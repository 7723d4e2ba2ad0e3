-- Examples, and marked as such: nobody's budget.
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, exp_func_code, summary, amount)
VALUES (2016, '450100', '示例-0001', '101001', '2010301', '示例:行政运行',       1250000000),
       (2016, '450100', '示例-0002', '205001', '2050202', '示例:小学教育',       8640000000),
       (2016, '450100', '示例-0003', '214001', '2140104', '示例:公路新建',      32000000000),
       (2016, '450200', '示例-0001', '101001', '2010301', '示例:行政运行',        980000000)
    ON CONFLICT (fiscal_year, division, indicator_no) DO NOTHING;
