"""The same work at many sites at once: one site's failure stops no other, and each is journalled."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

from rollout.apply.journal import Journal
from rollout.errors import ApplyError, Exit, RolloutError, UnreachableError
from rollout.inventory import Host, Site

SITES_AT_ONCE = 32

T = TypeVar("T")
State = Literal["done", "already", "seen", "failed", "unreachable"]


@dataclass(frozen=True)
class Outcome:
    """How it ended at one site: ``detail`` for people, ``seconds`` it took."""

    site: str
    state: State
    detail: str
    seconds: float


# What is done at a site: whether it was so before, and what to say. RolloutError: it is not done.
Work = Callable[[Site], tuple[bool, str]]


def fan_out(journal: Journal, verb: str, sites: Sequence[Site], work: Work, note: str = "") -> list[Outcome]:
    """Does ``work`` at every site; a run in the journal, with a step for each site.

    Args:
        journal: that keeps it.
        verb: what the run is called.
        sites: where; all at once, up to 32.
        work: what; UnreachableError if nobody answers there.
        note: why, kept as the detail of every step.
    """
    run = journal.begin(verb, [site.name for site in sites])
    with ThreadPoolExecutor(max(1, min(SITES_AT_ONCE, len(sites)))) as pool:
        outcomes = list(pool.map(_Task(journal, run, verb, work, note).at, sites))
    left = [one for one in outcomes if one.state in {"failed", "unreachable"}]
    if left:
        journal.end(run, "failed", "\n".join(f"{one.site}: {one.detail}" for one in left))
    else:
        journal.end(run, "done")
    return outcomes


def look_at(sites: Sequence[Site], work: Work) -> list[Outcome]:
    """The same without a journal, for what changes nothing."""

    def at(site: Site) -> Outcome:
        begun = time.monotonic()
        try:
            _, said = work(site)
        except RolloutError as error:
            state: State = "unreachable" if isinstance(error, UnreachableError) else "failed"
            return Outcome(site.name, state, error.message, time.monotonic() - begun)
        return Outcome(site.name, "seen", said, time.monotonic() - begun)

    with ThreadPoolExecutor(max(1, min(SITES_AT_ONCE, len(sites)))) as pool:
        return list(pool.map(at, sites))


def exit_of(outcomes: Sequence[Outcome]) -> Exit:
    """3 if a site was unreachable, else 4 if one failed, else 0."""
    states = {one.state for one in outcomes}
    if "unreachable" in states:
        return Exit.UNREACHABLE
    return Exit.FAILED if "failed" in states else Exit.OK


def on_either(site: Site, ask: Callable[[Host], T]) -> tuple[Host, T]:
    """The first minicomputer's answer, or the second's if the first gives none.

    Raises:
        UnreachableError: neither can be reached.
        ApplyError: one can be reached and fails, whatever became of the other.
    """
    errors: list[RolloutError] = []
    for host in site.minicomputers:
        try:
            return host, ask(host)
        except (UnreachableError, ApplyError) as error:
            errors.append(error)
    failed = [error for error in errors if isinstance(error, ApplyError)]
    kind = ApplyError if failed else UnreachableError
    raise kind("; ".join(error.message for error in errors), errors[-1].hint)


@dataclass(frozen=True)
class _Task:
    """One fan-out, the same at every site."""

    journal: Journal
    run: str
    verb: str
    work: Work
    note: str

    def at(self, site: Site) -> Outcome:
        begun = time.monotonic()
        self.journal.begin_step(self.run, site.name, 1, 1, self.verb)
        try:
            already, said = self.work(site)
        except RolloutError as error:
            self.journal.end_step(self.run, site.name, 1, "failed", error.message)
            state: State = "unreachable" if isinstance(error, UnreachableError) else "failed"
            return Outcome(site.name, state, error.message, time.monotonic() - begun)
        except BaseException as error:
            self.journal.end_step(self.run, site.name, 1, "failed", f"{type(error).__name__}: {error}")
            raise
        note = f" ({self.note})" if self.note else ""
        self.journal.end_step(self.run, site.name, 1, "done", f"{said}{note}")
        return Outcome(site.name, "already" if already else "done", said, time.monotonic() - begun)
