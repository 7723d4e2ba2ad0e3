"""The plug of 部门预算 for outside systems: indicators (指标) are given."""

from typing import Literal

from jincai.socket.document import Document, Pull
from pydantic import BaseModel, ConfigDict


class IndicatorDocument(BaseModel):
    """One indicator as it is now; ``amount`` and ``planned`` (released by approved plans) in fen.

    ``control_level``: 0 none, 1 warn, 2 strict.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fiscal_year: int
    division: str
    indicator_no: str
    agency_code: str
    bgt_type_code: str
    fund_type_code: str
    exp_func_code: str
    dep_exp_eco_code: str
    project_code: str
    summary: str
    amount: int
    planned: int
    control_level: Literal[0, 1, 2]


_INDICATORS = """
SELECT i.id, i.xmin AS written, i.fiscal_year, i.division, i.indicator_no, i.agency_code, i.bgt_type_code,
       i.fund_type_code, i.exp_func_code, i.dep_exp_eco_code, i.project_code, i.summary, i.amount, i.planned,
       i.control_level
  FROM budget.indicator AS i
 WHERE i.fiscal_year = %(fiscal_year)s AND i.division = %(division)s
"""

DOCUMENTS = (
    Document(
        kind="indicator",
        title="指标",
        title_en="Indicator",
        model=lambda: IndicatorDocument,
        pull=Pull(permission="budget.read", rows=_INDICATORS),
    ),
)
