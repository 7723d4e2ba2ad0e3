"""What the region's platform is told of the rollout, and how: through a minicomputer of the region."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rollout.apply import processes
from rollout.apply.remote import Remote, ask
from rollout.clock import SHANGHAI
from rollout.errors import ApplyError
from rollout.glass.fan import Work, on_either
from rollout.glass.freeze import PYTHON
from rollout.inventory import Host, Inventory, Site
from rollout.progress.assess import SiteSheet
from rollout.progress.plan import Plan
from rollout.progress.ranking import Grant, funding, rank

SECONDS = 60


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Part):
    """One sub-item, as the platform shows it."""

    part: str
    title: str
    weight: int
    lead: str
    state: Literal["done", "blocked", "late", "open"]
    due: date
    since: date | None
    by: str
    late_days: int


class Sheet(_Part):
    """A site; ``place`` among the cities."""

    site: str
    title: str
    division: str
    place: int | None
    score: int
    planned: int
    go_live: date
    forecast: date | None
    live: date | None
    overdue: list[str]
    parts: list[Part]
    grants: list[Grant]


class Publication(_Part):
    """The document, as `jincai load-progress` takes it (jincai.progress.Publication)."""

    format: Literal[1] = 1
    taken_at: datetime
    by: str
    simulated: bool
    sheets: list[Sheet]


def publication(
    inventory: Inventory,
    plan: Plan,
    sheets: Sequence[SiteSheet],
    taken_at: datetime,
    *,
    simulated: bool = False,
) -> Publication:
    """Of sheets of one day."""
    cities = [sheet for sheet in sheets if inventory.sites[sheet.site].kind == "city"]
    places = {place.site: place.place for place in rank(cities)}
    return Publication(
        taken_at=taken_at,
        by=processes.person(),
        simulated=simulated,
        sheets=[_sheet(inventory, plan, one, places.get(one.site)) for one in sheets],
    )


def work(document: Publication, connect: Callable[[Host], Remote]) -> Work:
    """What is done at the region: its platform takes the document, through whichever minicomputer answers."""
    question = {
        "words": ["load-progress"],
        "python": PYTHON,
        "seconds": SECONDS,
        "stdin": document.model_dump_json(),
    }

    def load(host: Host) -> int:
        found = ask(connect(host), "jincai", question, timeout=SECONDS + 10, package="rollout.glass.hostside")
        if found["code"]:
            raise ApplyError(f"{host.name}: {found['said']}")
        return int(found["result"]["sites"])

    def at(site: Site) -> tuple[bool, str]:
        host, sites = on_either(site, load)
        return False, f"{sites} sites shown at https://{site.vip}/rollout, through {host.name}"

    return at


def _sheet(inventory: Inventory, plan: Plan, one: SiteSheet, place: int | None) -> Sheet:
    site = inventory.sites[one.site]
    return Sheet(
        site=one.site,
        title=one.title,
        division=site.division,
        place=place,
        score=one.score,
        planned=one.planned,
        go_live=one.go_live,
        forecast=one.forecast,
        live=one.live,
        overdue=one.overdue,
        parts=[
            Part(
                part=line.part,
                title=line.title,
                weight=line.weight,
                lead=line.lead,
                state=line.state,
                due=line.due,
                since=line.since.astimezone(SHANGHAI).date() if line.since else None,
                by=line.by,
                late_days=line.late,
            )
            for line in one.lines
        ],
        grants=funding(plan, one).grants if place else [],
    )
