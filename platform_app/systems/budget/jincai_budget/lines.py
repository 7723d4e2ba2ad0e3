"""The lines of a proposal's stages: read, replaced, copied, checked."""

from collections.abc import Sequence
from typing import LiteralString

from jincai.standards import codes
from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_budget.line import LINES_MOST, KeptLine, Line
from jincai_budget.procedure import OPEN, STAGES, Stage
from jincai_budget.proposals import Proposal
from jincai_budget.refusals import RefusalError

# Fields of a key that the year's standards must know, by the element that they are codes of.
ELEMENTS = {
    "bgt_type": "bgt_type_code",
    "fund_type": "fund_type_code",
    "exp_func": "exp_func_code",
    "dep_exp_eco": "dep_exp_eco_code",
}

_KEPT = """
SELECT id, stage, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code, summary,
       amount, control_level, made_by
  FROM budget.proposal_line
 WHERE proposal_id = %(id)s AND (%(stage)s::text IS NULL OR stage = %(stage)s)
 ORDER BY stage, bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, project_code
"""
_DROP = "DELETE FROM budget.proposal_line WHERE proposal_id = %(id)s AND stage = %(stage)s"
_DROP_ONE = """
DELETE FROM budget.proposal_line WHERE id = %(line_id)s AND proposal_id = %(id)s AND stage = %(stage)s
"""
_ADD: LiteralString = """
INSERT INTO budget.proposal_line
       (proposal_id, stage, fiscal_year, division, agency_code, bgt_type_code, fund_type_code, exp_func_code,
        dep_exp_eco_code, project_code, summary, amount, made_by)
"""
_GIVEN: LiteralString = """
SELECT p.id, %(stage)s, p.fiscal_year, p.division, p.agency_code, l.bgt, l.fund, l.func, l.eco, l.project,
       l.summary, l.amount, %(actor)s
  FROM budget.proposal AS p,
       unnest(%(bgt)s::text[], %(fund)s::text[], %(func)s::text[], %(eco)s::text[], %(project)s::text[],
              %(summary)s::text[], %(amount)s::bigint[])
       AS l (bgt, fund, func, eco, project, summary, amount)
 WHERE p.id = %(id)s
"""
_OTHERS: LiteralString = """
SELECT proposal_id, %(to)s, fiscal_year, division, agency_code, bgt_type_code, fund_type_code, exp_func_code,
       dep_exp_eco_code, project_code, summary, amount, %(actor)s
  FROM budget.proposal_line WHERE proposal_id = %(id)s AND stage = %(stage)s
"""
_PUT: LiteralString = f"{_ADD} {_GIVEN}"
_COPY: LiteralString = f"{_ADD} {_OTHERS}"


async def kept(cx: AsyncConnection, proposal_id: int, stage: Stage | None = None) -> list[KeptLine]:
    """The lines of a proposal, of one stage or of all, by key."""
    async with cx.cursor(row_factory=class_row(KeptLine)) as cursor:
        return await (await cursor.execute(_KEPT, {"id": proposal_id, "stage": stage})).fetchall()


async def put(
    cx: AsyncConnection, proposal: Proposal, stage: Stage, lines: Sequence[Line], actor: str
) -> None:
    """Make ``lines`` the lines of the stage that is being worked on; ``proposal`` is locked.

    Raises:
        RefusalError: 409, the stage is closed; 422, a key stands twice or a code is not the year's.
    """
    refuse_closed(proposal, stage)
    _refuse_twice(lines)
    await refuse_unknown(cx, proposal.fiscal_year, lines)
    await drop(cx, proposal.id, stage)
    await _insert(cx, proposal, stage, lines, actor)


async def put_one(
    cx: AsyncConnection, proposal: Proposal, stage: Stage, line: Line, actor: str, *, replaced: int | None
) -> None:
    """Add ``line``, in place of the one with id ``replaced`` if that is given; ``proposal`` is locked.

    Raises:
        RefusalError: as `put`.
    """
    refuse_closed(proposal, stage)
    others = [one for one in await kept(cx, proposal.id, stage) if one.id != replaced]
    if len(others) >= LINES_MOST:
        raise RefusalError(422, f"明细最多 {LINES_MOST} 行。", f"A stage has {LINES_MOST} lines at most.")
    _refuse_twice([*others, line])
    await refuse_unknown(cx, proposal.fiscal_year, [line])
    if replaced is not None:
        await drop_one(cx, proposal, stage, replaced)
    await _insert(cx, proposal, stage, [line], actor)


async def drop_one(cx: AsyncConnection, proposal: Proposal, stage: Stage, line_id: int) -> None:
    """Take one line out; ``proposal`` is locked.

    Raises:
        RefusalError: 404, somebody else took it out or changed it; 409, the stage is closed.
    """
    refuse_closed(proposal, stage)
    dropped = await cx.execute(_DROP_ONE, {"id": proposal.id, "stage": stage, "line_id": line_id})
    if not dropped.rowcount:
        raise RefusalError(
            404,
            "这条明细已被修改或删除,请刷新页面。",
            "The line was changed or removed; read the page again.",
        )


def refuse_closed(proposal: Proposal, stage: Stage) -> None:
    """Refuse a stage that is not being worked on.

    Raises:
        RefusalError: 409.
    """
    if proposal.state not in OPEN or OPEN[proposal.state][0] != stage:
        chinese, english = STAGES[stage]
        raise RefusalError(
            409,
            f"“{chinese}”现在不能修改:该阶段尚未开始或已经结束。请刷新页面查看当前状态。",
            f"The stage “{english}” is not being worked on now; read the proposal's present state.",
        )


async def _insert(
    cx: AsyncConnection, proposal: Proposal, stage: Stage, lines: Sequence[Line], actor: str
) -> None:
    columns = {
        "bgt": [one.bgt_type_code for one in lines],
        "fund": [one.fund_type_code for one in lines],
        "func": [one.exp_func_code for one in lines],
        "eco": [one.dep_exp_eco_code for one in lines],
        "project": [one.project_code for one in lines],
        "summary": [one.summary for one in lines],
        "amount": [one.amount for one in lines],
    }
    await cx.execute(_PUT, {"id": proposal.id, "stage": stage, "actor": actor, **columns})


async def copy(cx: AsyncConnection, proposal_id: int, stage: Stage, to: Stage, actor: str) -> None:
    """Begin stage ``to`` with the lines of ``stage``."""
    await cx.execute(_COPY, {"id": proposal_id, "stage": stage, "to": to, "actor": actor})


async def drop(cx: AsyncConnection, proposal_id: int, stage: Stage) -> None:
    """Take all lines out of a stage that is being worked on."""
    await cx.execute(_DROP, {"id": proposal_id, "stage": stage})


async def refuse_unknown(cx: AsyncConnection, fiscal_year: int, lines: Sequence[Line]) -> None:
    """Refuse codes that the year's edition in force does not have.

    Raises:
        RefusalError: 422, names each.
    """
    asked = {
        (element, getattr(line, field)): number
        for number, line in reversed(list(enumerate(lines, 1)))
        for element, field in ELEMENTS.items()
    }
    missing = await codes.unknown(cx, fiscal_year, asked)
    if not missing:
        return
    named = [(asked[pair], *pair) for pair in missing]
    raise RefusalError(
        422,
        f"{fiscal_year} 年度现行标准中没有下列代码,请改用标准中的代码或先发布标准:"
        + "、".join(f"第 {number} 行 {element} {code}" for number, element, code in sorted(named)),
        f"The standards in force for {fiscal_year} lack these codes; use theirs or publish an edition: "
        + ", ".join(f"line {number} {element} {code}" for number, element, code in sorted(named)),
    )


def _refuse_twice(lines: Sequence[Line]) -> None:
    first: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(lines, 1):
        if line.key in first:
            raise RefusalError(
                422,
                f"第 {number} 行与第 {first[line.key]} 行的代码完全相同,请合并为一行。",
                f"Line {number} has the same codes as line {first[line.key]}; make one line of them.",
            )
        first[line.key] = number
