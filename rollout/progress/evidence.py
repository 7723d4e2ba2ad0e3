"""Whether a sub-item is proved on a day, since when, and by what."""

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from rollout.progress.facts import Audited, Found, Recheck, SiteFacts, Statement, Visit, Withdrawal
from rollout.progress.sheet import Evidence, SubItem


class Proof(BaseModel):
    """``since``: when it was proved; None while it is not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: datetime | None
    by: str


_NOTHING = Proof(since=None, by="")


def prove(part: SubItem, facts: SiteFacts, at: datetime) -> Proof:
    """The proof of a sub-item as of ``at``; later facts do not count."""
    if isinstance(part.proof, Evidence):
        return _PROVING[part.proof.evidence](facts, part.proof.name, at)
    return _stated(part.id, facts, at)


def _stated(part: str, facts: SiteFacts, at: datetime) -> Proof:
    found = _NOTHING
    for entry in facts.entries:
        if entry.at > at or not isinstance(entry, Statement | Withdrawal) or entry.part != part:
            continue
        if isinstance(entry, Statement):
            found = Proof(since=entry.at, by=f"{entry.by}: {entry.file}")
        else:
            found = Proof(since=None, by=f"withdrawn by {entry.by}: {entry.note}")
    return found


def _step(facts: SiteFacts, name: str, at: datetime) -> Proof:
    for run in facts.applied:
        if run.at <= at and run.verb in {"apply", "rollback"} and name in run.steps:
            return Proof(since=run.at, by=f"journal, run {run.run}: {name}")
    return _NOTHING


def _drill(facts: SiteFacts, name: str, at: datetime) -> Proof:
    for run in facts.applied:
        if run.at <= at and run.verb == f"drill {name}":
            return Proof(since=run.at, by=f"journal, run {run.run}: drill {name}")
    return _NOTHING


def _audits(facts: SiteFacts, at: datetime) -> list[Audited]:
    return [audit for audit in facts.audited if audit.at <= at]


def _holding(facts: SiteFacts, at: datetime, good: Callable[[Audited], bool], what: str) -> Proof:
    """By the newest audit; since the first of the unbroken row of good ones that it ends."""
    row: list[Audited] = []
    for audit in _audits(facts, at):
        row = [*row, audit] if good(audit) else []
    return Proof(since=row[0].at, by=f"audit {row[-1].report}: {what}") if row else _NOTHING


def _uniform(facts: SiteFacts, _: str, at: datetime) -> Proof:
    return _holding(facts, at, lambda audit: audit.uniform, "uniform")


def _running(facts: SiteFacts, name: str, at: datetime) -> Proof:
    return _holding(
        facts, at, lambda audit: name in audit.running and name not in audit.wrong, f"{name} runs"
    )


def _acceptance(facts: SiteFacts, _: str, at: datetime) -> Proof:
    return _certificate(facts, at, "accepted")


def _contact(facts: SiteFacts, _: str, at: datetime) -> Proof:
    return _certificate(facts, at, "contact")


def _link(facts: SiteFacts, _: str, at: datetime) -> Proof:
    return _certificate(facts, at, "link")


def _certificate(facts: SiteFacts, at: datetime, what: str) -> Proof:
    taken = [one for one in facts.accepted if one.at <= at]
    if not taken or not getattr(taken[-1], what):
        return _NOTHING
    return Proof(since=taken[-1].at, by=f"acceptance certificate of {taken[-1].at:%Y-%m-%d}: {what}")


def _inspected(facts: SiteFacts, _: str, at: datetime) -> Proof:
    """A visit, and nothing that it or an earlier one found is open."""
    visits = [entry for entry in facts.entries if isinstance(entry, Visit) and entry.at <= at]
    if not visits or open_findings(facts, at):
        return _NOTHING
    return Proof(since=visits[-1].at, by=f"inspection of {visits[-1].day}: {', '.join(visits[-1].team)}")


def open_findings(facts: SiteFacts, at: datetime) -> list[Found]:
    """What inspections found and nobody has seen put right."""
    closed = {e.id for e in facts.entries if isinstance(e, Recheck) and e.good and e.at <= at}
    found = [e for e in facts.entries if isinstance(e, Found) and e.at <= at]
    return [finding for finding in found if finding.id not in closed]


_PROVING: dict[str, Callable[[SiteFacts, str, datetime], Proof]] = {
    "step": _step,
    "drill": _drill,
    "uniform": _uniform,
    "running": _running,
    "acceptance": _acceptance,
    "contact": _contact,
    "link": _link,
    "inspected": _inspected,
}
