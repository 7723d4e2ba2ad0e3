"""What others are told: an indicator as it stands after each change (`documents.IndicatorDocument`)."""

from collections.abc import Sequence

from psycopg import AsyncConnection

_TELL = """
INSERT INTO hub.outbox (kind, division, payload)
SELECT 'indicator', i.division,
       jsonb_build_object('fiscal_year', i.fiscal_year, 'division', i.division,
                          'indicator_no', i.indicator_no, 'agency_code', i.agency_code,
                          'bgt_type_code', i.bgt_type_code, 'fund_type_code', i.fund_type_code,
                          'exp_func_code', i.exp_func_code, 'dep_exp_eco_code', i.dep_exp_eco_code,
                          'project_code', i.project_code, 'summary', i.summary, 'amount', i.amount,
                          'planned', i.planned, 'control_level', i.control_level)
  FROM budget.indicator AS i WHERE i.id = ANY (%s) ORDER BY i.id
"""


async def tell(cx: AsyncConnection, indicators: Sequence[int]) -> None:
    """Write the message for each of ``indicators``, in the transaction that changed them."""
    await cx.execute(_TELL, (list(indicators),))
