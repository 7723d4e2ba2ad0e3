-- What an approved monthly plan takes from an indicator (amount negative: gives back), called by the payment system in
-- its own transaction. The indicator's row is locked until that ends.
-- JC005: a strict indicator does not hold so much, or less than nothing would be planned. JC006: no such indicator.
CREATE FUNCTION budget.release(indicator bigint, amount bigint) RETURNS budget.indicator
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    held budget.indicator;
BEGIN
    SELECT * INTO held FROM budget.indicator AS i WHERE i.id = indicator FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no indicator %', indicator USING ERRCODE = 'JC006';
    END IF;
    IF held.planned + release.amount < 0
       OR held.control_level = 2 AND held.planned + held.reserved + release.amount > held.amount THEN
        RAISE EXCEPTION 'indicator % holds % fen, % reserved, % planned: % is too much', held.indicator_no,
              held.amount, held.reserved, held.planned, release.amount USING ERRCODE = 'JC005';
    END IF;
    UPDATE budget.indicator AS i SET planned = i.planned + release.amount WHERE i.id = indicator RETURNING * INTO held;
    RETURN held;
END
$$;
