"""案件流转: every move in one transaction with its event; stale is refused, repeated is done once."""

from collections.abc import Sequence

from psycopg import AsyncConnection, sql

from jincai.auth.principal import Principal
from jincai.monitoring.cases import asked as ask
from jincai.monitoring.cases import case, deadlines, trail
from jincai.monitoring.cases.attachments import File
from jincai.monitoring.cases.case import CaseFile
from jincai.monitoring.cases.effects import Change, Made, change_of
from jincai.monitoring.cases.states import CaseError, State, named
from jincai.monitoring.cases.trail import Told

# More than that is talk; what takes the case further is always taken.
EVENTS_MOST = 500

_AGAIN = """
SELECT EXISTS (SELECT FROM monitor.case_event
                WHERE (case_id, n, action, actor, text) = (%s, %s, %s, %s, %s))
"""
_BELOW = """
WITH RECURSIVE above (code) AS (
    SELECT d.parent FROM standards.division AS d
     WHERE d.code = %(code)s AND %(year)s BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
    UNION
    SELECT d.parent FROM above JOIN standards.division AS d ON d.code = above.code
     WHERE %(year)s BETWEEN d.valid_from_year AND coalesce(d.valid_to_year, 9999)
)
SELECT EXISTS (SELECT FROM above WHERE code = %(of)s)
"""


async def make(
    cx: AsyncConnection,
    principal: Principal,
    case_id: int,
    asked: ask.Move,
    files: Sequence[File] = (),
) -> CaseFile:
    """Make one move; the case after it. Locks the case.

    Raises:
        CaseError: 404 no such case; 403 not this person's; 409 stale, or not in this state; 422 a field.
    """
    one = await case.find(cx, case_id, lock=True)
    made = Made(one, principal, await deadlines.days_of(cx, one.level))
    change = change_of(asked, made)
    text = getattr(asked, "text", "")
    if one.revision != asked.revision:
        again = (case_id, asked.revision + 1, change.action, principal.actor, text)
        row = await (await cx.execute(_AGAIN, again)).fetchone()
        if row and row[0]:
            return one
        raise _stale(one, asked.revision)
    _allow(asked, one, principal)
    if change.state is None and one.revision >= EVENTS_MOST:
        raise CaseError(
            409,
            f"案件 {one.id} 的记录已达 {EVENTS_MOST} 条,请推进或结案。",
            f"Case {one.id} has {EVENTS_MOST} events: take it a step further, or close it.",
        )
    if isinstance(asked, ask.Reply) and one.needs_attachment and not files:
        raise CaseError(422, "本案的答复须附附件。", "The answer of this case needs an attachment.", "files")
    if isinstance(asked, ask.HandDown):
        await _require_below(cx, principal, one, asked.division)
    await _write(cx, made, change)
    told = Told(
        change.action, one.state, change.state or one.state, text, change.detail, visible=change.visible
    )
    await trail.add(cx, case_id, told, files)
    return one.model_copy(
        update={"revision": one.revision + 1, "state": change.state or one.state, **change.sets}
    )


async def _write(cx: AsyncConnection, made: Made, change: Change) -> None:
    sets: dict[str, object] = dict(change.sets)
    if change.state:
        # Whoever goes on with a case has woken it.
        sets = {"snoozed_until": None, **sets, "state": change.state}
        if "due_at" not in sets:
            sets["due_at"] = None if change.state == "closed" else deadlines.due(made.days["office"])
    assigned = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in sets]
    statement = sql.SQL("UPDATE monitor.case_file SET {} WHERE id = %s").format(
        sql.SQL(", ").join([sql.SQL("revision = revision + 1"), *assigned])
    )
    await cx.execute(statement, (*sets.values(), made.one.id))


def _stale(one: CaseFile, seen: int) -> CaseError:
    return CaseError(
        409,
        f"案件 {one.id} 已有变动(您看到的是第 {seen} 版,现为第 {one.revision} 版)。请重新读取后再办理。",
        f"Case {one.id} has moved on: you saw revision {seen}, it is at {one.revision}. Read it anew.",
    )


# Which states a move starts from.
FROM: dict[type[ask.Move], frozenset[State]] = {
    ask.Inquire: frozenset({"looking", "replied"}),
    ask.Reply: frozenset({"inquired"}),
    # Inquired: only once the time to answer has passed.
    ask.Conclude: frozenset({"looking", "inquired", "replied"}),
    ask.Order: frozenset({"violation", "rectified"}),
    ask.Report: frozenset({"rectifying"}),
    ask.Reopen: frozenset({"normal", "violation", "rectified"}),
    ask.Close: frozenset({"normal", "rectified"}),
    ask.HandDown: frozenset({"looking"}),
    ask.Snooze: frozenset({"looking", "replied", "normal", "violation", "rectified"}),
}
_OPEN: frozenset[State] = frozenset(
    {"looking", "inquired", "replied", "normal", "violation", "rectifying", "rectified"}
)
# What anybody of the office may do with anybody's case; all else is its handler's.
_OF_ALL = (ask.Note, ask.HandOver, ask.TakeOver, ask.Reopen, ask.Close, ask.Escalate)


def may_make(kind: type[ask.Move], one: CaseFile, principal: Principal) -> bool:
    """Whether ``principal`` could make such a move now: what a page offers."""
    try:
        _allow_kind(kind, one, principal)
    except CaseError:
        return False
    return kind in {ask.Reply, ask.Report} or "monitor.handle" in principal.permissions


def _allow(asked: ask.Move, one: CaseFile, principal: Principal) -> None:
    _allow_kind(type(asked), one, principal)
    if isinstance(asked, ask.Conclude) and asked.conclusion == "violation" and one.asked_at is None:
        raise CaseError(
            409,
            f"案件 {one.id} 尚未问询单位,不能认定违规。请先发出问询。",
            f"The unit was not yet asked about case {one.id}; send an inquiry before finding a violation.",
            "conclusion",
        )
    if isinstance(asked, ask.Conclude) and asked.conclusion == "normal" and one.state == "inquired":
        raise CaseError(
            409,
            f"案件 {one.id} 的单位逾期未答复,只能认定违规,或由单位补交答复。",
            f"The unit of case {one.id} did not answer: that is no ground to find it normal.",
            "conclusion",
        )
    if isinstance(asked, ask.HandOver) and asked.to == one.handler:
        raise CaseError(422, f"案件已由 {asked.to} 办理。", f"{asked.to} handles the case already.", "to")


def _allow_kind(kind: type[ask.Move], one: CaseFile, principal: Principal) -> None:
    if one.state not in FROM.get(kind, _OPEN):
        zh, en = named(one.state)
        raise CaseError(
            409,
            f"案件 {one.id} 现为“{zh}”,不能这样办理。请重新读取。",
            f"Case {one.id} is at “{en}”: this cannot be done with it now. Read it anew.",
        )
    if kind is ask.Conclude and one.state == "inquired" and not one.overdue:
        raise CaseError(
            409,
            f"案件 {one.id} 的单位尚在答复期限内,不能认定。请等待答复。",
            f"The unit of case {one.id} still has time to answer.",
        )
    of_unit = kind in {ask.Reply, ask.Report}
    if not of_unit and kind not in _OF_ALL and one.handler != principal.actor:
        who = (one.handler or "无人", one.handler or "nobody")
        raise CaseError(
            403,
            f"案件 {one.id} 由 {who[0]} 办理。请先移交或接手。",
            f"Case {one.id} is handled by {who[1]}. Have it handed over, or take it over, first.",
        )
    if kind is ask.TakeOver and one.handler:
        raise CaseError(409, f"案件 {one.id} 已由 {one.handler} 办理。", f"Case {one.id} is {one.handler}'s.")
    if kind is ask.Close and one.conclusion == "violation" and one.concluded_by == principal.actor:
        raise CaseError(
            403,
            f"案件 {one.id} 的违规由您本人认定,须由他人结案。",
            f"You found the violation of case {one.id} yourself; somebody else must close it.",
        )
    if kind is ask.Escalate and one.escalation >= deadlines.ESCALATION_MOST:
        raise CaseError(409, f"案件 {one.id} 已在最高级别。", f"Case {one.id} is at the highest level.")
    if kind is ask.Wake and one.snoozed_until is None:
        raise CaseError(409, f"案件 {one.id} 没有暂缓。", f"Case {one.id} is not snoozed.")


async def _require_below(cx: AsyncConnection, principal: Principal, one: CaseFile, county: str) -> None:
    asked = {"code": county, "of": one.division, "year": one.fiscal_year}
    row = await (await cx.execute(_BELOW, asked)).fetchone()
    if not (row and row[0]):
        raise CaseError(
            422,
            f"{county} 不是 {one.division} 的下级区划。",
            f"{county} is no division below {one.division}.",
            "division",
        )
    if principal.divisions is not None and county not in principal.divisions:
        raise CaseError(
            403, f"您的权限不含区划 {county}。", f"Your grants do not reach {county}.", "division"
        )
