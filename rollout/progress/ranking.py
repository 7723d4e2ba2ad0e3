"""The order of the cities, and what each gets."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from rollout.progress.assess import SiteSheet
from rollout.progress.plan import Plan


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """A city's place; who has as many points and got them on the same day shares it."""

    place: int
    site: str
    title: str
    score: int
    planned: int
    late: int
    reached: date | None  # when the last of its points was earned
    forecast: date | None
    live: date | None


class Grant(_Part):
    """One amount (fen) for one city: whether it is due, and why or why not."""

    kind: str
    amount: int
    due: bool
    why: str


class Funding(_Part):
    """What a city gets."""

    site: str
    title: str
    grants: list[Grant]

    @property
    def total(self) -> int:
        """Fen that are due."""
        return sum(grant.amount for grant in self.grants if grant.due)


def rank(sheets: Sequence[SiteSheet]) -> list[Place]:
    """By points, then by who had them first."""

    def key(sheet: SiteSheet) -> tuple[int, date]:
        return -sheet.score, _reached(sheet) or date.max

    places: list[Place] = []
    ordered = sorted(sheets, key=lambda sheet: (*key(sheet), sheet.site))
    for number, sheet in enumerate(ordered, 1):
        same = places and key(ordered[number - 2]) == key(sheet)
        places.append(
            Place(
                place=places[-1].place if same else number,
                site=sheet.site,
                title=sheet.title,
                score=sheet.score,
                planned=sheet.planned,
                late=sheet.late,
                reached=_reached(sheet),
                forecast=sheet.forecast,
                live=sheet.live,
            )
        )
    return places


def _reached(sheet: SiteSheet) -> date | None:
    return max(
        (line.since.date() for line in sheet.lines if line.since and line.state == "done"), default=None
    )


def funding(plan: Plan, sheet: SiteSheet) -> Funding:
    """Implementation for who has begun, running cost for who runs uniformly, a reward for who is ahead."""
    amounts = plan.amounts
    started = sheet.line("2.3").state == "done"
    runs = [sheet.line("5.5"), sheet.line("7.3")]
    missing = [line.title for line in runs if line.state != "done"]
    in_time = sheet.live is not None and sheet.live <= sheet.go_live
    obstacles = [
        *([] if in_time else ["未按期上线" if sheet.live else "尚未上线"]),
        *(["有逾期未整改问题"] if sheet.overdue else []),
        *([] if sheet.score >= plan.reward_score else [f"得分 {sheet.score},不足 {plan.reward_score}"]),
    ]
    return Funding(
        site=sheet.site,
        title=sheet.title,
        grants=[
            Grant(
                kind="implementation",
                amount=amounts.implementation,
                due=started,
                why="实施方案已批复" if started else "实施方案尚未批复",
            ),
            Grant(
                kind="running",
                amount=amounts.running,
                due=not missing,
                why=f"尚缺:{'、'.join(missing)}" if missing else "硬件验收合格,版本审计一致",
            ),
            Grant(
                kind="reward",
                amount=amounts.reward,
                due=not obstacles,
                why=";".join(obstacles) or f"{sheet.live} 上线,早于计划 {sheet.go_live}",
            ),
        ],
    )
