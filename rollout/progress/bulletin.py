"""The bulletin (通报): how the cities stand on a day, what moved since the last one, what is late."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

from rollout.progress.assess import SiteSheet
from rollout.progress.plan import Plan
from rollout.progress.ranking import Funding, Place, funding, rank


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Moved(_Part):
    """What a city proved since the last bulletin."""

    site: str
    title: str
    points: int
    parts: list[str]


class Late(_Part):
    """A sub-item past its day, with who leads it; ``days`` working days."""

    site: str
    title: str
    part: str
    lead: str
    due: date
    days: int


class Overdue(_Part):
    """A finding of an inspection past its deadline."""

    title: str
    text: str


class Bulletin(_Part):
    """One bulletin. ``simulated``: its figures are invented, and it says so on its face."""

    number: int
    day: date
    since: date | None
    simulated: bool
    live: int
    places: list[Place]
    moved: list[Moved]
    late: list[Late]
    overdue: list[Overdue]
    funding: list[Funding]


def bulletin(
    number: int,
    plan: Plan,
    sheets: Sequence[SiteSheet],
    before: Mapping[str, SiteSheet] | None = None,
    *,
    simulated: bool = False,
) -> Bulletin:
    """Over the cities' sheets of one day.

    Args:
        number: counts from 1.
        plan: amounts and conditions.
        sheets: of the cities, all of the same day.
        before: those of the last bulletin, by site; None for the first.
        simulated: whether the facts were invented.
    """
    day = sheets[0].day
    last = next(iter(before.values())).day if before else None
    return Bulletin(
        number=number,
        day=day,
        since=last + timedelta(days=1) if last else None,
        simulated=simulated,
        live=sum(sheet.live is not None for sheet in sheets),
        places=rank(sheets),
        moved=[moved for sheet in sheets if (moved := _moved(sheet, before)).parts],
        late=sorted((late for sheet in sheets for late in _late(sheet)), key=lambda one: -one.days),
        overdue=[Overdue(title=sheet.title, text=text) for sheet in sheets for text in sheet.overdue],
        funding=[funding(plan, sheet) for sheet in sheets],
    )


def _moved(sheet: SiteSheet, before: Mapping[str, SiteSheet] | None) -> Moved:
    old = before.get(sheet.site) if before else None
    done = {line.part for line in old.lines if line.state == "done"} if old else set()
    fresh = [line for line in sheet.lines if line.state == "done" and line.part not in done]
    return Moved(
        site=sheet.site,
        title=sheet.title,
        points=sheet.score - (old.score if old else 0),
        parts=[f"{line.part} {line.title}" for line in fresh],
    )


def _late(sheet: SiteSheet) -> list[Late]:
    return [
        Late(
            site=sheet.site,
            title=sheet.title,
            part=f"{line.part} {line.title}",
            lead=line.lead,
            due=line.due,
            days=line.late,
        )
        for line in sheet.lines
        if line.state in {"late", "blocked"}
    ]
