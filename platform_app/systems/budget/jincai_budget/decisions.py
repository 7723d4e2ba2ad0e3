"""审批 of change requests: what was asked happens, or what was reserved is free again."""

from typing import Literal

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_budget import changes, indicators, lines, numbers, outbox
from jincai_budget.change import CHANGE_STATES, ChangeRequest
from jincai_budget.indicators import WholeIndicator
from jincai_budget.line import TEXT, Line
from jincai_budget.refusals import RefusalError


class ApproveChange(BaseModel):
    """Approve, with a remark if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(default="", max_length=200, pattern=TEXT)


class RefuseChange(BaseModel):
    """Refuse, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=200, pattern=TEXT)


_DECIDE = """
UPDATE budget.change_request
   SET state = %(state)s, checked_by = %(actor)s, checked_at = clock_timestamp(),
       check_reason = %(check_reason)s, target_id = %(target_id)s
 WHERE id = %(id)s AND state = 'requested'
"""
_FREE = "UPDATE budget.indicator SET reserved = reserved - %(amount)s WHERE id = %(source_id)s"
_TAKE = """
UPDATE budget.indicator SET reserved = reserved - %(amount)s, amount = amount - %(amount)s
 WHERE id = %(source_id)s
"""
_GIVE = "UPDATE budget.indicator SET amount = amount + %(amount)s WHERE id = %(target_id)s"
_CHANGE = """
INSERT INTO budget.indicator_change
       (indicator_id, division, kind, amount, reason, made_by, checked_by, request_id)
SELECT c.indicator_id, %(division)s, %(kind)s, c.amount, %(reason)s, %(made_by)s, %(actor)s, %(id)s
  FROM (VALUES (%(source_id)s::bigint, -%(amount)s::bigint), (%(target_id)s::bigint, %(amount)s::bigint))
       AS c (indicator_id, amount)
 WHERE c.indicator_id IS NOT NULL
"""
# Begins empty: what is carried over is its first change.
_NEXT_YEAR = """
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, project_code, summary, amount, control_level)
SELECT fiscal_year + 1, division, budget.indicator_no(fiscal_year + 1, agency_code, %(number)s), agency_code,
       bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code, summary, 0, control_level
  FROM budget.indicator WHERE id = %(source_id)s
RETURNING id
"""


async def decide(
    cx: AsyncConnection, number: int, state: Literal["approved", "refused"], reason: str, who: Principal
) -> ChangeRequest:
    """Approve or refuse request ``number``; the same decision by the same person again changes nothing.

    Raises:
        RefusalError: 403, one's own request; 404; 409, decided otherwise; 422, the next year lacks its codes.
    """
    await cx.execute("SELECT FROM budget.change_request WHERE id = %s FOR NO KEY UPDATE", (number,))
    request = await changes.get(cx, number)
    if request.state != "requested":
        if (request.state, request.checked_by) == (state, who.actor):
            return request
        chinese, english = CHANGE_STATES[request.state]
        raise RefusalError(
            409,
            f"申请 {number} 已由 {request.checked_by} 处理:{chinese}。",
            f"Request {number} was decided by {request.checked_by}: {english}.",
        )
    if request.made_by == who.actor:
        raise RefusalError(
            403,
            f"申请 {number} 由 {who.actor} 本人提出,请由另一人审批。",
            f"{who.actor} made request {number}; another person must decide it.",
        )
    found = await indicators.locked(cx, {one for one in (request.source_id, request.target_id) if one})
    target = request.target_id
    if state == "approved" and request.kind == "carry_over" and target is None and request.source_id:
        target = await _next_year(cx, found[request.source_id])
    given = {
        **request.model_dump(exclude={"state", "check_reason", "target_id"}),
        "target_id": target,
        "state": state,
        "check_reason": reason,
        "actor": who.actor,
    }
    if state == "approved":
        await cx.execute(_TAKE, given)
        await cx.execute(_GIVE, given)
    else:
        await cx.execute(_FREE, given)
    await cx.execute(_DECIDE, given)
    if state == "approved":
        await cx.execute(_CHANGE, given)
        await outbox.tell(cx, [one for one in (request.source_id, target) if one])
    return await changes.get(cx, number)


async def _next_year(cx: AsyncConnection, source: WholeIndicator) -> int:
    """A new indicator of the next year with the codes of ``source``, still empty; its id."""
    codes = Line.model_construct(**source.model_dump(include=set(Line.model_fields)))
    await lines.refuse_unknown(cx, source.fiscal_year + 1, [codes])
    before = await numbers.take(cx, source.fiscal_year + 1, source.division, source.agency_code, 1)
    row = await (await cx.execute(_NEXT_YEAR, {"source_id": source.id, "number": before + 1})).fetchone()
    if row is None:
        raise AssertionError("a locked indicator is not there")
    return int(row[0])
