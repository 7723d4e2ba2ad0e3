"""指标变更: adjustment, addition, reduction and carry-over of indicators, as they are asked for."""

import datetime as dt
from typing import Literal, LiteralString, Self

from jincai import paging
from jincai.auth.principal import Principal
from jincai.paging import BooksQuery, Page
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai_budget import indicators
from jincai_budget.indicators import WholeIndicator
from jincai_budget.lines import AMOUNT_MOST, TEXT
from jincai_budget.refusals import RefusalError, yuan

ChangeKind = Literal["adjustment", "addition", "reduction", "carry_over"]
ChangeState = Literal["requested", "approved", "refused"]

KINDS: dict[str, tuple[str, str]] = {
    "approval": ("批复", "Approval"),
    "adjustment": ("调整", "Adjustment"),
    "addition": ("追加", "Addition"),
    "reduction": ("调减", "Reduction"),
    "carry_over": ("结转", "Carry-over"),
}
REQUEST_KINDS = {code: words for code, words in KINDS.items() if code != "approval"}
CHANGE_STATES: dict[str, tuple[str, str]] = {
    "requested": ("待审批", "Waiting for approval"),
    "approved": ("已审批", "Approved"),
    "refused": ("未通过", "Refused"),
}


class NewChange(BaseModel):
    """What is asked: ``amount`` in fen from indicator ``source_id`` to ``target_id``.

    An addition has no source, a reduction no target. A carry-over without target makes an indicator of the
    next year, and without amount takes all that is left.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: str = Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")
    kind: ChangeKind
    source_id: int | None = Field(default=None, gt=0, lt=2**63)
    target_id: int | None = Field(default=None, gt=0, lt=2**63)
    amount: int | None = Field(default=None, gt=0, le=AMOUNT_MOST)
    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        if (self.source_id is None) != (self.kind == "addition"):
            raise ValueError("source_id is for everything but an addition")
        if (self.target_id is None) != (self.kind == "reduction") and self.kind != "carry_over":
            raise ValueError("target_id is for adjustments, additions and carry-overs")
        if self.source_id == self.target_id:
            raise ValueError("source_id and target_id are one indicator")
        if self.amount is None and self.kind != "carry_over":
            raise ValueError("amount is required")
        return self


class ChangeRequest(BaseModel):
    """One request; ``amount`` in fen."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    kind: ChangeKind
    source_id: int | None
    target_id: int | None
    amount: int
    reason: str
    state: ChangeState
    made_by: str
    made_at: dt.datetime
    checked_by: str | None
    checked_at: dt.datetime | None
    check_reason: str


class ChangeQuery(BooksQuery):
    """Which requests; what is not given does not filter."""

    state: ChangeState | None = None


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
