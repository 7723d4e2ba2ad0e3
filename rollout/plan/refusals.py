"""What is not planned at all, and what a person does instead."""

from collections.abc import Iterable

from rollout.audit.audit import Seen
from rollout.audit.build import Build
from rollout.audit.facts import HostFacts, Machine
from rollout.errors import RolloutError
from rollout.inventory import Site
from rollout.plan.model import SystemStep


class RefusedError(RolloutError):
    """Nothing is planned; all reasons are named at once."""


def foreign_data(site: Site, seen: Seen, known: bool) -> list[str]:
    """Data on hosts that no run of this control node put there: somebody's, and not ours to touch."""
    if known or seen.records[site.name] is not None:
        return []
    return [
        f"{host.name}: {folder} holds data that no record and no run of this control node knows"
        for host in site.hosts.values()
        for folder in _data(seen.facts[host.name])
    ]


def older_release(site: Site, seen: Seen, build: Build) -> list[str]:
    """A release with a smaller serial than the site's record has, or than a host has accepted."""
    serial = build.manifest.serial
    record = seen.records[site.name]
    problems = []
    if record and record.serial > serial:
        problems.append(f"{site.name}: runs serial {record.serial}; {build.manifest.build} is older")
    for host in site.hosts.values():
        accepted = _accepted(seen.facts[host.name])
        if accepted > serial:
            problems.append(f"{host.name}: has accepted serial {accepted}; {build.manifest.build} is older")
    return problems


def downgrades(steps: Iterable[SystemStep]) -> list[str]:
    """Our systems that would go down."""
    return [f"{s.host}: {s.found} would go down to {s.wanted}" for s in steps if s.move == "downgrade"]


def refuse(foreign: list[str], older: list[str], gone: list[str]) -> None:
    """Raises RefusedError when there is any reason."""
    hints = []
    if foreign:
        hints.append(
            "This site's own data? Bring its state here: rollout state import FILE. If not, clear the host."
        )
    if older:
        hints.append("To go back on purpose: rollout rollback --site SITE.")
    if gone:
        hints.append("That was confirmed, so only a backup from before brings it back: docs/city.md.")
    if foreign or older or gone:
        raise RefusedError("refused:\n  " + "\n  ".join([*foreign, *older, *gone]), " ".join(hints))


def _data(facts: object) -> list[str]:
    if isinstance(facts, HostFacts) and isinstance(facts.machine, Machine):
        return facts.machine.data
    return []


def _accepted(facts: object) -> int:
    """The highest serial that the host accepted; 0 when it does not say."""
    if isinstance(facts, HostFacts) and isinstance(facts.machine, Machine):
        accepted = facts.machine.accepted
        serial = accepted.get("serial") if isinstance(accepted, dict) else None
        return serial if isinstance(serial, int) else 0
    return 0
