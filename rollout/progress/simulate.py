"""A year of the rollout, invented: the region and its 14 cities in 2010, judged by the code for real ones.

What was so: the region went live in January 2010, and 10 of 14 cities by the end of that year. All the rest,
such as which city was how late, comes from a seed, and every page says so.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from rollout.clock import SHANGHAI
from rollout.inventory import Site
from rollout.progress.assess import SiteSheet, assess
from rollout.progress.bulletin import Bulletin, bulletin
from rollout.progress.facts import (
    Accepted,
    Applied,
    Audited,
    Entry,
    Found,
    Recheck,
    SiteFacts,
    Statement,
    Visit,
)
from rollout.progress.plan import Plan
from rollout.progress.schedule import ahead, back, schedule
from rollout.progress.sheet import Evidence, Sheet
from rollout.waves.days import Calendar

YEAR = 2010
LIVE_AT_END = 10
REGION_LIVE = date(2010, 1, 15)
_MINUTES = 8 * 60


@dataclass(frozen=True)
class Year:
    """What the simulation yields: the plan, each month's bulletin, and the sheets at the year's end."""

    plan: Plan
    bulletins: list[Bulletin]
    sheets: list[SiteSheet]


def year(sheet: Sheet, sites: list[Site], seed: int = 20100101) -> Year:
    """The whole year; the same for the same seed. ``sites``: the region first, then its cities."""
    chance = random.Random(seed)  # noqa: S311 - a made-up year, not a secret
    calendar = Calendar(holidays=_HOLIDAYS)
    cities = [site for site in sites if site.kind == "city"]
    plan = Plan(go_live=_go_lives(sites, cities, calendar, chance), calendar=calendar, reward_score=95)
    in_time = {city.name for city in chance.sample(cities, min(LIVE_AT_END, len(cities)))}
    facts = {
        site.name: _facts(sheet, plan, site, chance, slow=site.kind == "city" and site.name not in in_time)
        for site in sites
    }
    titles = {site.name: site.title for site in sites}
    bulletins: list[Bulletin] = []
    before: dict[str, SiteSheet] | None = None
    for number, day in enumerate(_month_ends(), 1):
        now = {s.name: assess(sheet, plan, facts[s.name], titles[s.name], day) for s in cities}
        bulletins.append(bulletin(number, plan, list(now.values()), before, simulated=True))
        before = now
    last = date(YEAR, 12, 31)
    return Year(plan, bulletins, [assess(sheet, plan, facts[s.name], titles[s.name], last) for s in sites])


def _month_ends() -> list[date]:
    return [date(YEAR, month + 1, 1) - timedelta(days=1) for month in range(1, 12)] + [date(YEAR, 12, 31)]


def _go_lives(
    sites: list[Site], cities: list[Site], calendar: Calendar, chance: random.Random
) -> dict[str, date]:
    """The region in January, then city after city until December."""
    dates = {site.name: REGION_LIVE for site in sites if site.kind == "region"}
    for number, city in enumerate(chance.sample(cities, len(cities))):
        month = 7 + number * 6 // max(1, len(cities))
        dates[city.name] = ahead(calendar, date(YEAR, month, chance.randint(4, 19)), 1)
    return dates


def _facts(sheet: Sheet, plan: Plan, site: Site, chance: random.Random, *, slow: bool) -> SiteFacts:
    """Each sub-item is proved around its planned day; a slow city loses more days with every item."""
    dates = schedule(sheet, plan.calendar, plan.go_live[site.name])
    drift, lost = (chance.uniform(1.5, 4.0) if slow else chance.uniform(-0.4, 0.1)), 0.0
    found = _Made(site, chance)
    for item in sheet.items:
        lost += drift + chance.uniform(-0.3, 0.3)
        for part in item.parts:
            days = round(lost)
            move = ahead if days > 0 else back
            day = move(plan.calendar, dates.due[part.id], abs(days))
            if slow and item.id == "13":
                day = max(day, date(YEAR + 1, 1, chance.randint(5, 28)))
            found.prove(part.id, part.title, part.proof, _at(day, chance))
    found.inspect(plan.calendar, dates.due["11.4"], slow=slow)
    return found.facts()


class _Made:
    """Invented facts, collected."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site, self.chance = site, chance
        self.applied: list[Applied] = []
        self.accepted: list[Accepted] = []
        self.certificate: dict[str, bool] = {}
        self.entries: list[Entry] = []
        self.components: list[tuple[datetime, str]] = []
        self.uniform_from: datetime | None = None

    def prove(self, part: str, title: str, proof: Evidence | str, at: datetime) -> None:
        """As the sub-item wants it proved."""
        if not isinstance(proof, Evidence):
            digest = hashlib.sha256(f"{self.site.name} {part}".encode()).hexdigest()
            who = f"{self.site.title}经办人(模拟)"
            self.entries.append(
                Statement(
                    site=self.site.name, part=part, by=who, at=at, file=f"{part}-{title}.pdf", sha256=digest
                )
            )
        elif proof.evidence in {"step", "drill"}:
            verb = "apply" if proof.evidence == "step" else f"drill {proof.name}"
            run = f"simulated-{self.site.name}-{part}"
            self.applied.append(Applied(at=at, run=run, verb=verb, steps=[proof.name]))
        elif proof.evidence == "running":
            self.components.append((at, proof.name))
        elif proof.evidence == "uniform":
            self.uniform_from = at
        elif proof.evidence in {"acceptance", "contact", "link"}:
            self.certificate[proof.evidence] = True
            self.accepted.append(
                Accepted(
                    at=at,
                    accepted=self.certificate.get("acceptance", False),
                    contact=self.certificate.get("contact", False),
                    link=self.certificate.get("link", False),
                )
            )

    def inspect(self, calendar: Calendar, day: date, *, slow: bool) -> None:
        """A visit with a finding or two; a slow city puts one right late."""
        at = _at(day, self.chance)
        team = ["督导组甲(模拟)", "督导组乙(模拟)"]
        self.entries.append(Visit(site=self.site.name, team=team, day=day, at=at))
        for number in range(self.chance.randint(1, 2)):
            identity = hashlib.sha256(f"{self.site.name} {number}".encode()).hexdigest()[:8]
            deadline = ahead(calendar, day, 10)
            self.entries.append(
                Found(
                    id=identity,
                    site=self.site.name,
                    part=self.chance.choice(["9.2", "10.3", "11.2"]),
                    severity="minor",
                    text="核对记录不全(模拟)",
                    deadline=deadline,
                    at=at,
                )
            )
            seen = (
                ahead(calendar, deadline, 15) if slow else back(calendar, deadline, self.chance.randint(1, 5))
            )
            self.entries.append(Recheck(id=identity, good=True, by=team[0], at=_at(seen, self.chance)))

    def facts(self) -> SiteFacts:
        """Everything, in the order in which it happened; an audit a day once anything runs."""
        return SiteFacts(
            site=self.site.name,
            applied=sorted(self.applied, key=lambda one: one.at),
            audited=list(self._audits()),
            accepted=sorted(self.accepted, key=lambda one: one.at),
            entries=sorted(self.entries, key=lambda one: one.at),
        )

    def _audits(self) -> Iterator[Audited]:
        moments = sorted(
            {at for at, _ in self.components} | ({self.uniform_from} if self.uniform_from else set())
        )
        for at in moments:
            running = sorted(name for since, name in self.components if since <= at)
            uniform = self.uniform_from is not None and self.uniform_from <= at
            yield Audited(
                at=at, report=f"simulated-{at:%Y%m%d}.json", uniform=uniform, running=running, wrong=[]
            )


def _at(day: date, chance: random.Random) -> datetime:
    return datetime.combine(day, time(9), SHANGHAI) + timedelta(minutes=chance.randint(0, _MINUTES))


# Of 2009 and 2010, as the State Council announced them; only those on weekdays matter here.
_HOLIDAYS = [
    *(date(2009, 10, day) for day in range(1, 9)),
    date(2010, 1, 1),
    *(date(2010, 2, day) for day in range(13, 20)),
    date(2010, 4, 5),
    date(2010, 5, 3),
    *(date(2010, 6, day) for day in range(14, 17)),
    *(date(2010, 9, day) for day in range(22, 25)),
    *(date(2010, 10, day) for day in range(1, 8)),
]
