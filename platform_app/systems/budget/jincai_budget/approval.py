"""批复: approved lines become indicators, in the transaction that approves them."""

from typing import Annotated, LiteralString

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, Field

from jincai_budget import numbers, outbox
from jincai_budget.line import LINES_MOST, TEXT
from jincai_budget.proposals import Proposal
from jincai_budget.refusals import RefusalError

Level = Annotated[int, Field(ge=0, le=2)]
LineId = Annotated[int, Field(gt=0, lt=2**63)]


class NextStep(BaseModel):
    """The next step, as someone saw the proposal who read its step ``seen`` as the last one.

    Again with the same ``seen`` by the same person is the same step, whatever has happened since.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seen: int = Field(gt=0, lt=2**63)


class ApproveStep(NextStep):
    """批复: control levels (0 none, 1 warn, 2 strict) for all lines, and for single ones by their id."""

    reason: str = Field(default="", max_length=200, pattern=TEXT)
    control_level: Level = 2
    control_levels: dict[LineId, Level] = Field(default_factory=dict, max_length=LINES_MOST)


_STRANGE = """
SELECT asked.id FROM unnest(%(lines)s::bigint[]) AS asked (id)
EXCEPT SELECT id FROM budget.proposal_line WHERE proposal_id = %(id)s AND stage = 'second'
"""
_APPROVED = """
INSERT INTO budget.proposal_line
       (proposal_id, stage, fiscal_year, division, agency_code, bgt_type_code, fund_type_code, exp_func_code,
        dep_exp_eco_code, project_code, summary, amount, control_level, made_by)
SELECT l.proposal_id, 'approved', l.fiscal_year, l.division, l.agency_code, l.bgt_type_code, l.fund_type_code,
       l.exp_func_code, l.dep_exp_eco_code, l.project_code, l.summary, l.amount,
       coalesce(given.level, %(level)s::smallint), %(actor)s
  FROM budget.proposal_line AS l
  LEFT JOIN unnest(%(lines)s::bigint[], %(levels)s::smallint[]) AS given (id, level) ON given.id = l.id
 WHERE l.proposal_id = %(id)s AND l.stage = 'second'
"""
# A line of nothing stays in the approval, and is no indicator.
_COUNT = """
SELECT count(*) FROM budget.proposal_line WHERE proposal_id = %(id)s AND stage = 'approved' AND amount > 0
"""
_INDICATORS: LiteralString = """
INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                              exp_func_code, dep_exp_eco_code, project_code, summary, amount, control_level,
                              proposal_line_id)
SELECT l.fiscal_year, l.division,
       budget.indicator_no(l.fiscal_year, l.agency_code,
           %(before)s + row_number() OVER (ORDER BY l.bgt_type_code, l.fund_type_code, l.exp_func_code,
                                                    l.dep_exp_eco_code, l.project_code)),
       l.agency_code, l.bgt_type_code, l.fund_type_code, l.exp_func_code, l.dep_exp_eco_code, l.project_code,
       l.summary, l.amount, l.control_level, l.id
  FROM budget.proposal_line AS l
 WHERE l.proposal_id = %(id)s AND l.stage = 'approved' AND l.amount > 0
"""
# The maker of what is approved is who submitted it.
_CHANGES = """
INSERT INTO budget.indicator_change
       (indicator_id, division, kind, amount, reason, made_by, checked_by, proposal_id)
SELECT i.id, i.division, 'approval', i.amount, %(reason)s,
       (SELECT s.made_by FROM budget.proposal_step AS s
         WHERE s.proposal_id = %(id)s AND s.kind = 'submit' ORDER BY s.id DESC LIMIT 1),
       %(actor)s, l.proposal_id
  FROM budget.proposal_line AS l
  JOIN budget.indicator AS i ON i.proposal_line_id = l.id
 WHERE l.proposal_id = %(id)s AND l.stage = 'approved'
RETURNING indicator_id
"""


async def make_indicators(
    cx: AsyncConnection, proposal: Proposal, actor: str, given_with: ApproveStep
) -> None:
    """Approve the second submission's lines and make an indicator of each; ``proposal`` is locked.

    Raises:
        RefusalError: 422, a control level is given to a line that is not the second submission's.
    """
    levels = given_with.control_levels
    given = {
        "id": proposal.id,
        "actor": actor,
        "reason": given_with.reason or "部门预算批复",
        "level": given_with.control_level,
        "lines": list(levels),
        "levels": list(levels.values()),
    }
    strange = [row[0] for row in await (await cx.execute(_STRANGE, given)).fetchall()]
    if strange:
        raise RefusalError(
            422,
            f"明细 {strange} 不是二上申报的明细,不能设置控制方式。请刷新后再批复。",
            f"Lines {strange} are not of the second submission and get no control level; read it again.",
        )
    await cx.execute(_APPROVED, given)
    counted = await (await cx.execute(_COUNT, given)).fetchone()
    count = counted[0] if counted else 0
    if count:
        before = await numbers.take(cx, proposal.fiscal_year, proposal.division, proposal.agency_code, count)
        await cx.execute(_INDICATORS, {**given, "before": before})
        made = await (await cx.execute(_CHANGES, given)).fetchall()
        await outbox.tell(cx, [row[0] for row in made])
