"""Starts a child for one playbook at one site, watches it, and says how it ended."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout.apply import environment, orphans, processes
from rollout.apply.child import EVENTS, LOG, Work
from rollout.apply.journal import Journal
from rollout.errors import ApplyError
from rollout.paths import Home

Event = dict[str, Any]
_POLL = 0.1
_TAIL = 30


@dataclass(frozen=True)
class Failure:
    """A task that failed on a host and was not rescued."""

    host: str
    task: str
    message: str


@dataclass
class Outcome:
    """How a playbook ended; ``recap``: host → ok, changed, failed, unreachable, skipped."""

    rc: int = -1
    log: Path = Path()
    recap: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """One line of the child's report."""
        kind = event["event"]
        if kind == "stats":
            self.recap = _recap(event)
            # What failed and was rescued is no failure of the play.
            self.failures = {
                h: f for h, f in self.failures.items() if event["failures"].get(h) or event["dark"].get(h)
            }
        elif kind == "item":
            self._fail(event)
        elif kind in {"failed", "unreachable"} and not event["ignored"]:
            before = self.failures.get(event["host"])
            # The summary of a loop says less than its item did.
            if not (before and before.task == event["task"] and "items" in event["message"]):
                self._fail(event)
        elif kind == "end":
            self.rc = event["rc"]

    def _fail(self, event: Event) -> None:
        self.failures[event["host"]] = Failure(event["host"], event["task"], event["message"])


class Stopped(ApplyError):  # noqa: N818 - not an error of the apply, a wish of the person
    """SIGINT or SIGTERM asked the run to stop."""


@dataclass(frozen=True)
class Player:
    """Runs playbooks of one run at one site."""

    home: Home
    journal: Journal
    run: str
    site: str
    stop: threading.Event

    def play(self, work: Work, managed: Path | None, watch: Callable[[Event], None]) -> Outcome:
        """Runs the playbook to its end. Raises Stopped when asked to; a play that failed is no exception."""
        work.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment.control_folder(self.home, self.run).mkdir(parents=True, exist_ok=True, mode=0o700)
        (work.folder / "work.json").write_text(work.model_dump_json(indent=1))
        outcome = Outcome(log=work.folder / LOG)
        with (work.folder / "errors").open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "rollout.apply.child", str(work.folder / "work.json")],
                env=environment.of_child(self.home, self.run, self.site, managed),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
            process = processes.of(child.pid)
            self.journal.begin_child(self.run, self.site, process)
            try:
                for event in self._events(child, work.folder / EVENTS):
                    outcome.add(event)
                    watch(event)
            finally:
                # Also when this side fails: a child of ours must not go on unseen.
                orphans.end_marked(self.run, self.site)
                child.wait()
                self.journal.end_child(self.run, process)
        if outcome.rc < 0:
            outcome.rc = child.returncode or 1
        return outcome

    def _events(self, child: "subprocess.Popen[bytes]", file: Path) -> Iterator[Event]:
        position, ended = 0, False
        while not ended:
            ended = child.poll() is not None
            lines, position = _lines(file, position)
            yield from lines
            if self.stop.is_set():
                raise Stopped(f"{self.site}: stopped on request", "The next apply goes on from here.")
            if not ended:
                time.sleep(_POLL)


def last_words(folder: Path) -> str:
    """The end of what a play wrote that never came to a task: a syntax error, a missing variable."""
    for name in (LOG, "errors"):
        file = folder / name
        text = file.read_text(errors="replace").strip() if file.is_file() else ""
        if text:
            return "\n".join(text.splitlines()[-_TAIL:])
    return "it wrote nothing"


def _lines(file: Path, position: int) -> tuple[list[Event], int]:
    if not file.exists():
        return [], position
    with file.open("rb") as stream:
        stream.seek(position)
        whole = stream.read().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()], position + len(whole) + bool(whole)


def _recap(event: Event) -> dict[str, dict[str, int]]:
    names = {
        "ok": "ok",
        "changed": "changed",
        "failed": "failures",
        "unreachable": "dark",
        "skipped": "skipped",
    }
    hosts = sorted({host for key in names.values() for host in event[key]})
    return {host: {name: event[key].get(host, 0) for name, key in names.items()} for host in hosts}
