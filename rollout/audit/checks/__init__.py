"""The checks: small pure functions from what is expected and what was found to findings."""

from collections.abc import Callable, Iterable

from rollout.audit import actions
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, ProbeError
from rollout.audit.findings import Finding, Kind

Check = Callable[[HostExpectation, HostFacts], list[Finding]]

# So many findings of one kind are named one by one; a report that nobody can read helps nobody.
MOST = 20


def unseen(component: str, error: ProbeError) -> Finding:
    """What the host would not show: nothing is known about it, so the host is not uniform."""
    return Finding(
        component=component, kind="unreachable", expected="seen", found=error.error, action=actions.LOOK
    )


def order_kind(order: int) -> Kind:
    """Behind or ahead, from the comparison of what was found with what is expected."""
    return "behind" if order < 0 else "ahead"


def bounded(findings: Iterable[Finding], what: str) -> list[Finding]:
    """The first MOST findings, and one more that counts the others."""
    every = list(findings)
    if len(every) <= MOST:
        return every
    last, more = every[MOST], len(every) - MOST
    text = f"{more} more {what}"
    rest = Finding(component=text, kind=last.kind, expected="none", found=str(more), action=last.action)
    return [*every[:MOST], rest]
