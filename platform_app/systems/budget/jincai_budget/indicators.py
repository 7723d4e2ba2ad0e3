"""Questions about indicators (指标), asked of the database."""

import datetime as dt
from typing import LiteralString

from jincai import paging
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_budget.refusals import RefusalError


class Indicator(BaseModel):
    """One indicator; ``amount`` in fen, ``control_level`` 0 none, 1 warn, 2 strict."""

    model_config = ConfigDict(frozen=True)

    id: int
    indicator_no: str
    agency_code: str
    exp_func_code: str
    summary: str
    amount: int
    control_level: int


class WholeIndicator(Indicator):
    """An indicator with all it has; ``reserved`` by requests in flight, ``planned`` by plans, in fen."""

    fiscal_year: int
    division: str
    bgt_type_code: str
    fund_type_code: str
    dep_exp_eco_code: str
    project_code: str
    reserved: int
    planned: int
    created_at: dt.datetime

    @property
    def free(self) -> int:
        """What neither plans nor requests have taken, in fen; below zero where control is not strict."""
        return self.amount - self.reserved - self.planned


class Change(BaseModel):
    """One change of an indicator's amount; ``amount`` in fen, below zero where it takes away."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    amount: int
    reason: str
    made_by: str
    checked_by: str
    at: dt.datetime
    proposal_id: int | None
    request_id: int | None


class IndicatorHistory(BaseModel):
    """An indicator and how its amount came about, oldest change first."""

    model_config = ConfigDict(frozen=True)

    indicator: WholeIndicator
    changes: list[Change]


_COUNT = """
SELECT count(*) FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
"""
_ROWS = """
SELECT id, indicator_no, agency_code, exp_func_code, summary, amount, control_level
  FROM budget.indicator
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
 ORDER BY indicator_no LIMIT %(limit)s OFFSET %(offset)s
"""
_WHOLE: LiteralString = """
SELECT id, fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code, exp_func_code,
       dep_exp_eco_code, project_code, summary, amount, reserved, planned, control_level, created_at
  FROM budget.indicator
"""
_CHANGES = """
SELECT id, kind, amount, reason, made_by, checked_by, at, proposal_id, request_id
  FROM budget.indicator_change WHERE indicator_id = %s ORDER BY id
"""


async def find(cx: AsyncConnection, asked: BooksQuery) -> Page[Indicator]:
    """The indicators of a division in a year, by number."""
    return await paging.fetch(cx, Indicator, rows=_ROWS, count=_COUNT, asked=asked)


async def history(cx: AsyncConnection, number: int) -> IndicatorHistory:
    """One indicator with its changes.

    Raises:
        RefusalError: 404.
    """
    async with cx.cursor(row_factory=class_row(WholeIndicator)) as cursor:
        found = await (await cursor.execute(f"{_WHOLE} WHERE id = %s", (number,))).fetchone()
    if found is None:
        raise RefusalError(404, f"没有编号为 {number} 的指标。", f"There is no indicator {number}.")
    async with cx.cursor(row_factory=class_row(Change)) as cursor:
        changes = await (await cursor.execute(_CHANGES, (number,))).fetchall()
    return IndicatorHistory(indicator=found, changes=changes)


async def locked(cx: AsyncConnection, numbers: set[int]) -> dict[int, WholeIndicator]:
    """Indicators by id, locked in the order of their ids, so that no two transactions wait for each other.

    Raises:
        RefusalError: 404, names one that is not there.
    """
    async with cx.cursor(row_factory=class_row(WholeIndicator)) as cursor:
        asked = f"{_WHOLE} WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
        found = {one.id: one for one in await (await cursor.execute(asked, (sorted(numbers),))).fetchall()}
    if missing := sorted(numbers - found.keys()):
        raise RefusalError(404, f"没有编号为 {missing[0]} 的指标。", f"There is no indicator {missing[0]}.")
    return found
