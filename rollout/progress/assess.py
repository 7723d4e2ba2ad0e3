"""The sheet of one site on one day: what is proved, what is late, the score, and when it will go live."""

import math
from datetime import date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rollout.clock import SHANGHAI
from rollout.progress.evidence import open_findings, prove
from rollout.progress.facts import SiteFacts
from rollout.progress.plan import Plan
from rollout.progress.schedule import Schedule, ahead, between, schedule
from rollout.progress.sheet import Sheet

State = Literal["done", "blocked", "late", "open"]
# A slower pace than this is not believed to last.
_SLOWEST = 0.25


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Part):
    """One sub-item. ``blocked``: proved, but a finding is past its deadline, so it does not count.

    Attributes:
        weight: points.
        due: by when it was planned.
        since: when it was proved.
        by: what proves it, or why nothing does.
        late: working days past ``due``: until it was proved, or until the day of the assessment.
    """

    part: str
    title: str
    weight: int
    lead: str
    cooperating: list[str]
    state: State
    due: date
    since: datetime | None
    by: str
    late: int


class SiteSheet(_Part):
    """A site's sheet. ``score`` of 100 points; ``live`` when it went live."""

    site: str
    title: str
    day: date
    go_live: date
    score: int
    planned: int  # points that were due by the day
    late: int  # sub-items past their day and not done
    overdue: list[str]  # findings past their deadline
    forecast: date | None  # when it will go live at the pace so far; None before it has begun
    live: date | None
    doubtful: list[str]
    lines: list[Line]

    @property
    def done(self) -> int:
        """Sub-items that count."""
        return sum(line.state == "done" for line in self.lines)

    def line(self, part: str) -> Line:
        """One sub-item."""
        return next(line for line in self.lines if line.part == part)


def assess(sheet: Sheet, plan: Plan, facts: SiteFacts, title: str, day: date) -> SiteSheet:
    """The sheet as of the end of ``day``."""
    at = datetime.combine(day, time.max, SHANGHAI)
    dates = schedule(sheet, plan.calendar, plan.go_live[facts.site])
    overdue = [finding for finding in open_findings(facts, at) if finding.deadline < day]
    stopped = {finding.part for finding in overdue}
    lines = []
    for part in sheet.parts.values():
        item, proof = sheet.item_of(part.id), prove(part, facts, at)
        due = dates.due[part.id]
        until = proof.since.astimezone(SHANGHAI).date() if proof.since else day
        late = between(plan.calendar, due, until)
        state: State = "late" if late else "open"
        if proof.since:
            state = "blocked" if part.id in stopped else "done"
        lines.append(
            Line(
                part=part.id,
                title=part.title,
                weight=part.weight,
                lead=item.lead,
                cooperating=item.cooperating,
                state=state,
                due=due,
                since=proof.since,
                by=proof.by,
                late=late,
            )
        )
    score = sum(line.weight for line in lines if line.state == "done")
    planned = sum(line.weight for line in lines if line.due <= day)
    went_live = next(line for line in lines if line.part == "13.1")
    live = went_live.since.astimezone(SHANGHAI).date() if went_live.since else None
    return SiteSheet(
        site=facts.site,
        title=title,
        day=day,
        go_live=plan.go_live[facts.site],
        score=score,
        planned=planned,
        late=sum(line.state in {"late", "blocked"} for line in lines),
        overdue=[f"{finding.part} {finding.text} (期限 {finding.deadline})" for finding in overdue],
        forecast=live or _forecast(plan, dates, lines, day, plan.go_live[facts.site]),
        live=live,
        doubtful=facts.doubtful,
        lines=lines,
    )


def _forecast(plan: Plan, dates: Schedule, lines: list[Line], day: date, go_live: date) -> date | None:
    """What is left of the plan, at the pace so far: points proved for each that was due."""
    done = sum(line.weight for line in lines if line.state == "done")
    if not done:
        return None
    due = sum(line.weight for line in lines if line.due <= day)
    pace = max(_SLOWEST, min(1.0, done / due)) if due else 1.0
    # Where the plan would be with so many points, and how far it is from there.
    reached, passed = min(dates.begins.values()), 0
    for line in sorted(lines, key=lambda one: one.due):
        passed += line.weight
        if passed > done:
            break
        reached = line.due
    left = between(plan.calendar, reached, go_live)
    return ahead(plan.calendar, day, math.ceil(left / pace))
