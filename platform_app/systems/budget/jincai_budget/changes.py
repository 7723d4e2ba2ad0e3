"""指标变更: adjustment, addition, reduction and carry-over of indicators, as they are asked for."""

from typing import LiteralString

from jincai import paging
from jincai.auth.principal import Principal
from jincai.paging import Page
from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_budget import indicators
from jincai_budget.change import ChangeKind, ChangeQuery, ChangeRequest, NewChange
from jincai_budget.indicators import WholeIndicator
from jincai_budget.refusals import RefusalError, yuan

FIELDS: LiteralString = """
SELECT id, fiscal_year, division, agency_code, kind, source_id, target_id, amount, reason, state, made_by,
       made_at, checked_by, checked_at, check_reason
  FROM budget.change_request
"""
_WHERE: LiteralString = """
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
   AND (%(state)s::text IS NULL OR state = %(state)s)
"""
_COUNTED: LiteralString = "SELECT count(*) FROM budget.change_request"
_COUNT: LiteralString = f"{_COUNTED} {_WHERE}"
_ROWS: LiteralString = f"{FIELDS} {_WHERE} ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s"
_UNDER_KEY: LiteralString = (
    f"{FIELDS} WHERE division = %(division)s AND idempotency_key = %(idempotency_key)s"
)

_RESERVE = "UPDATE budget.indicator SET reserved = reserved + %(amount)s WHERE id = %(source_id)s"
_ASK = """
INSERT INTO budget.change_request
       (fiscal_year, division, agency_code, kind, source_id, target_id, amount, reason, made_by,
        idempotency_key)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(kind)s, %(source_id)s, %(target_id)s, %(amount)s,
        %(reason)s, %(actor)s, %(idempotency_key)s)
    ON CONFLICT (division, idempotency_key) DO NOTHING
RETURNING id
"""


async def find(cx: AsyncConnection, asked: ChangeQuery) -> Page[ChangeRequest]:
    """The requests of a division in a year, newest first."""
    return await paging.fetch(cx, ChangeRequest, rows=_ROWS, count=_COUNT, asked=asked)


async def get(cx: AsyncConnection, number: int) -> ChangeRequest:
    """One request.

    Raises:
        RefusalError: 404.
    """
    async with cx.cursor(row_factory=class_row(ChangeRequest)) as cursor:
        found = await (await cursor.execute(f"{FIELDS} WHERE id = %s", (number,))).fetchone()
    if found is None:
        raise RefusalError(404, f"没有编号为 {number} 的变更申请。", f"There is no change request {number}.")
    return found


async def ask(cx: AsyncConnection, asked: NewChange, who: Principal) -> ChangeRequest:
    """Ask for a change and reserve what it takes; asked again under its key, it is the same request.

    Raises:
        RefusalError: 404, no such indicator; 409, the key was used for another request or the source does
            not hold so much; 422, the indicators are not of one unit or not of the right years.
    """
    found = await indicators.locked(cx, {one for one in (asked.source_id, asked.target_id) if one})
    source = found[asked.source_id] if asked.source_id else None
    target = found[asked.target_id] if asked.target_id else None
    held = source or target
    if held is None:
        raise AssertionError("a request names an indicator")
    # The same key is at the same indicators, so whoever asked before us under it has ended.
    if before := await _under_key(cx, held.division, asked, who):
        return before
    if source and target:
        _refuse_strangers(asked.kind, source, target)
    amount = _amount(asked, source)
    given = {
        **asked.model_dump(exclude={"amount"}),
        **held.model_dump(include={"fiscal_year", "division", "agency_code"}),
        "amount": amount,
        "actor": who.actor,
    }
    made = await (await cx.execute(_ASK, given)).fetchone()
    if made is None:
        raise _key_used(asked.idempotency_key)
    if source:
        await cx.execute(_RESERVE, given)
    return await get(cx, made[0])


async def _under_key(
    cx: AsyncConnection, division: str, asked: NewChange, who: Principal
) -> ChangeRequest | None:
    given = {"division": division, "idempotency_key": asked.idempotency_key}
    async with cx.cursor(row_factory=class_row(ChangeRequest)) as cursor:
        before = await (await cursor.execute(_UNDER_KEY, given)).fetchone()
    if before is None:
        return None
    # What an approval filled in (the new indicator, the rest) was not asked.
    same = (
        before.kind == asked.kind
        and before.source_id == asked.source_id
        and (asked.target_id is None or before.target_id == asked.target_id)
        and asked.amount in {None, before.amount}
        and before.reason == asked.reason
        and before.made_by == who.actor
    )
    if not same:
        raise _key_used(asked.idempotency_key)
    return before


def _refuse_strangers(kind: ChangeKind, source: WholeIndicator, target: WholeIndicator) -> None:
    if (source.division, source.agency_code) != (target.division, target.agency_code):
        raise RefusalError(
            422,
            f"指标 {source.indicator_no} 与 {target.indicator_no} 不属于同一单位。",
            f"Indicators {source.indicator_no} and {target.indicator_no} are not of one unit.",
        )
    years = 1 if kind == "carry_over" else 0
    if target.fiscal_year != source.fiscal_year + years:
        year = source.fiscal_year + years
        raise RefusalError(
            422,
            f"转入指标 {target.indicator_no} 应为 {year} 年度的指标。",
            f"The target, {target.indicator_no}, must be an indicator of {year}.",
        )


def _amount(asked: NewChange, source: WholeIndicator | None) -> int:
    """What is moved, in fen: as asked, or all that the source has left."""
    if source is None:
        return asked.amount or 0
    amount = source.free if asked.amount is None else asked.amount
    if amount > source.free or amount <= 0:
        raise RefusalError(
            409,
            f"指标 {source.indicator_no} 可用 {yuan(source.free)} 元,不足以转出 {yuan(max(amount, 1))} 元。",
            f"Indicator {source.indicator_no} has {yuan(source.free)} yuan free, not {yuan(max(amount, 1))}.",
        )
    return amount


def _key_used(key: str) -> RefusalError:
    return RefusalError(
        409,
        f"幂等键 {key} 已用于另一申请,请换一个键。",
        f"The key {key} was used for another request; choose another.",
    )
