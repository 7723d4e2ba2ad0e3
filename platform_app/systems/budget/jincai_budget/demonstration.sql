-- Examples, and marked as such: nobody's budget.
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, summary, amount)
VALUES (2016, '450100', '示例-0001', '101001', '1', '1', '2010301', '30201', '示例:行政运行',       1250000000),
       (2016, '450100', '示例-0002', '205001', '1', '1', '2050202', '31001', '示例:小学教育',       8640000000),
       (2016, '450100', '示例-0003', '214001', '1', '1', '2140104', '31005', '示例:公路新建',      32000000000),
       (2016, '450200', '示例-0001', '101001', '1', '1', '2010301', '30201', '示例:行政运行',        980000000)
    ON CONFLICT (fiscal_year, division, indicator_no) DO NOTHING;

-- This year's budget of three units: one is being prepared, one waits for its control figures, one for its approval.
DO $$
DECLARE
    this_year smallint := extract(year FROM now() AT TIME ZONE 'Asia/Shanghai');
    unit text;
    made bigint;
    move text[];
BEGIN
    FOREACH unit IN ARRAY ARRAY['101001', '205001', '214001'] LOOP
        INSERT INTO budget.proposal (fiscal_year, division, agency_code, made_by)
        VALUES (this_year, '450100', unit, '示例:单位经办') ON CONFLICT DO NOTHING RETURNING id INTO made;
        CONTINUE WHEN made IS NULL;
        INSERT INTO budget.proposal_step (proposal_id, fiscal_year, division, agency_code, kind, from_state, to_state,
                                          amount, made_by)
        VALUES (made, this_year, '450100', unit, 'create', '', 'draft', 0, '示例:单位经办');
        INSERT INTO budget.proposal_line (proposal_id, stage, fiscal_year, division, agency_code, bgt_type_code,
                                          fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount, made_by)
        VALUES (made, 'first', this_year, '450100', unit, '1', '1', '2010301', '30201', '示例:办公费', 120000000,
                '示例:单位经办'),
               (made, 'first', this_year, '450100', unit, '1', '1', '2010301', '30211', '示例:差旅费', 48000000,
                '示例:单位经办');
        FOREACH move SLICE 1 IN ARRAY ARRAY[
            ['submit', 'draft', 'first_submitted', 'first', 'control', '示例:单位经办'],
            ['issue', 'first_submitted', 'control_issued', 'control', 'second', '示例:财政经办'],
            ['submit', 'control_issued', 'second_submitted', 'second', '', '示例:单位经办']] LOOP
            EXIT WHEN unit = '101001' OR unit = '205001' AND move[1] = 'issue';
            UPDATE budget.proposal SET state = move[3] WHERE id = made;
            INSERT INTO budget.proposal_step (proposal_id, fiscal_year, division, agency_code, kind, from_state,
                                              to_state, amount, made_by)
            SELECT made, this_year, '450100', unit, move[1], move[2], move[3], sum(amount), move[6]
              FROM budget.proposal_line WHERE proposal_id = made AND stage = move[4];
            INSERT INTO budget.proposal_line (proposal_id, stage, fiscal_year, division, agency_code, bgt_type_code,
                                              fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount, made_by)
            SELECT made, move[5], this_year, '450100', unit, bgt_type_code, fund_type_code, exp_func_code,
                   dep_exp_eco_code, summary, amount * 9 / 10, move[6]
              FROM budget.proposal_line WHERE proposal_id = made AND stage = move[4] AND move[5] <> '';
        END LOOP;
    END LOOP;
END
$$;
