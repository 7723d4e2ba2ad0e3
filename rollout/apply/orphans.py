"""What a killed run left running on this control node: found, waited for, ended.

A child of a run carries the run's id in its environment, and so does everything that it started; the journal
knows the pid and start time of the child itself. Nothing is ended that is not one of these very processes.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from rollout.apply import processes
from rollout.apply.journal import Journal, Run
from rollout.apply.processes import Process
from rollout.errors import HeldError

RUN = "ROLLOUT_RUN"
SITE = "ROLLOUT_SITE"
WAIT_SECONDS = 60.0
_TERM_SECONDS = 10.0
_POLL = 0.2
_ROUNDS = 2

Say = Callable[[str], None]


def mark(run: str, site: str) -> dict[str, str]:
    """The environment by which a child and all its descendants are found again."""
    return {RUN: run, SITE: site}


def refuse_running(journal: Journal, site: str) -> None:
    """HeldError if another run of this control node is at ``site`` now."""
    mine = processes.me()
    for run in journal.running(site):
        if run.process != mine:
            raise HeldError(
                f"{site}: {run.who} is running {run.verb} there since {run.started_at:%Y-%m-%d %H:%M:%S %z} "
                f"(run {run.id}, process {run.pid})",
                "Wait until it is done.",
            )


def find(journal: Journal, site: str) -> dict[Process, str]:
    """Processes for ``site`` whose run is dead → the run's id. One look at the journal and at /proc."""
    sites = processes.marked(SITE)
    found = {process: run for process, run in processes.marked(RUN).items() if sites.get(process) == site}
    found |= {child.process: child.run for child in journal.open_children(site) if child.process.alive()}
    found.pop(processes.me(), None)
    return {process: run for process, run in found.items() if _dead(journal, run)}


def clear(journal: Journal, site: str, say: Say, wait: float = WAIT_SECONDS) -> list[Run]:
    """Waits for the orphans of ``site``, ends those that stay, and closes their runs in the journal.

    Args:
        journal: of this control node.
        site: whose orphans.
        say: shows one line to the person who waits.
        wait: seconds that an orphan may take to finish its work before it is ended.

    Returns:
        The runs that were found killed, newest first; the site's hosts may need healing then.
    """
    killed = journal.unfinished(site)
    orphans = find(journal, site)
    if orphans:
        _wait(journal, site, say, time.monotonic() + wait)
        for _ in range(_ROUNDS):  # one that was just being started is found in the next round
            _end(find(journal, site), say)
    for child in journal.open_children(site):
        if not child.process.alive():
            journal.end_child(child.run, child.process)
    for run in killed:
        step = journal.last_step(site)
        where = f" in step {step.number} of {step.of} ({step.name})" if step and step.run == run.id else ""
        say(f"{site}: run {run.id} by {run.who} was killed{where}")
        journal.end(run.id, "killed", f"its process ended without a word{where}")
    return killed


def end_marked(run: str, site: str, say: Say = lambda _: None) -> None:
    """Ends whatever ``run`` itself still has running for ``site``; nothing, as a rule."""
    for _ in range(_ROUNDS):
        sites = processes.marked(SITE)
        left = {p: r for p, r in processes.marked(RUN).items() if r == run and sites.get(p) == site}
        left.pop(processes.me(), None)
        _end(left, say)


def _dead(journal: Journal, identity: str) -> bool:
    """A run that this journal does not know belongs to another home on this machine: not ours to judge."""
    run = journal.run(identity)
    return run is not None and not run.running


def _wait(journal: Journal, site: str, say: Say, until: float) -> None:
    shown: set[Process] = set()
    while (left := find(journal, site)) and time.monotonic() < until:
        pids = {process.pid for process in left}
        # Those on top only: what they start comes and goes.
        top = {process for process in left if processes.parent_of(process) not in pids}
        for process in sorted(top - shown, key=lambda one: one.pid):
            seconds = max(0, round(until - time.monotonic()))
            what = processes.command_of(process)
            say(f"{site}: waiting up to {seconds} s for process {process.pid} of run {left[process]}: {what}")
        shown |= left.keys()
        time.sleep(_POLL)


def _end(left: dict[Process, str], say: Say) -> None:
    for how, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _TERM_SECONDS)):
        for process in left:
            if process.alive():
                say(f"ending process {process.pid} ({how.name}): {processes.command_of(process)}")
                with suppress(ProcessLookupError):
                    send(process, how)
        until = time.monotonic() + seconds
        while any(process.alive() for process in left) and time.monotonic() < until:
            time.sleep(_POLL / 4)


def send(process: Process, how: signal.Signals) -> None:
    """A signal to this very process: a pidfd cannot come to mean another one."""
    descriptor = os.pidfd_open(process.pid)
    try:
        if process.alive():
            signal.pidfd_send_signal(descriptor, how)
    finally:
        os.close(descriptor)
