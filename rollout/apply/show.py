"""What a person sees while an apply runs: a live table on a terminal, lines everywhere else."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rollout.apply.journal import Journal
from rollout.tables import plain
from rollout.waves import board_text
from rollout.waves.board import Board, board

Event = dict[str, Any]
_COLUMNS = 5
_STYLE = {"done": "green", "failed": "bold red", "stopped": "yellow"}


class Show(Protocol):
    """Told from several threads at once."""

    def say(self, text: str) -> None:
        """One line for the person who waits."""

    def follow(self, journal: Journal, run: str) -> None:
        """A run begins; its board is in the journal."""

    def begin(self, site: str, number: int, of: int, name: str) -> None:
        """A step begins."""

    def event(self, site: str, event: Event) -> None:
        """Something happened in it."""

    def end(self, site: str, outcome: str) -> None:
        """It ended."""


@dataclass
class _Host:
    ok: int = 0
    changed: int = 0
    failed: bool = False


@dataclass
class _Site:
    number: int = 0
    of: int = 0
    name: str = ""
    began: float = 0.0
    running: bool = True
    task: str = ""
    hosts: dict[str, _Host] = field(default_factory=dict)

    def changed(self) -> int:
        return sum(host.changed for host in self.hosts.values())


class Lines:
    """One line when a step ends: for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.sites: dict[str, _Site] = {}

    def say(self, text: str) -> None:
        """One line, at once."""
        self.console.print(Text(text), soft_wrap=True)

    def follow(self, journal: Journal, run: str) -> None:
        """Nothing: lines say what ends."""

    def begin(self, site: str, number: int, of: int, name: str) -> None:
        """Remembers what runs."""
        self.sites[site] = _Site(number, of, name, time.monotonic())

    def event(self, site: str, event: Event) -> None:
        """Counts."""
        state = self.sites[site]
        if event["event"] in {"task", "push"}:
            state.task = event["name"]
        if (
            event["event"] == "stats"
        ):  # exact, where a censored result did not say whether it changed anything
            for name, counts in state.hosts.items():
                counts.ok, counts.changed = event["ok"].get(name, 0), event["changed"].get(name, 0)
        host = event.get("host")
        if not host:
            return
        counts = state.hosts.setdefault(host, _Host())
        if event["event"] == "ok":
            counts.ok += 1
            counts.changed += event["changed"]
        elif event["event"] in {"failed", "unreachable"}:
            counts.failed = not event.get("ignored")

    def end(self, site: str, outcome: str) -> None:
        """The step's line."""
        state = self.sites[site]
        seconds = time.monotonic() - state.began
        what = (
            f"  {sum(h.ok for h in state.hosts.values())} ok, {state.changed()} changed"
            if state.hosts
            else ""
        )
        width = len(str(state.of))
        self.console.print(
            Text.assemble(
                f"{site}  {state.number:{width}}/{state.of}  {state.name:14} ",
                (f"{outcome:7}", _STYLE.get(outcome, "")),
                f" {seconds:5.1f} s{what}",
            ),
            soft_wrap=True,
        )
        state.running = False


class LiveTable(Lines):
    """The lines, and below them the board of all sites and a table of what runs now, host by host."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live = Live(self, console=console, refresh_per_second=4, transient=True)
        self._lock = threading.Lock()
        self._board: Callable[[], Board] | None = None

    def follow(self, journal: Journal, run: str) -> None:
        """Shows its board, too."""
        self._board = lambda: board(journal, run)

    def begin(self, site: str, number: int, of: int, name: str) -> None:
        """The table appears with the first step, after every question was answered."""
        super().begin(site, number, of, name)
        with self._lock:
            self._live.start()

    def stop(self) -> None:
        """Takes the table away."""
        self._live.stop()

    def __rich__(self) -> Group:
        """Drawn by rich, several times a second."""
        above = [board_text.render(self._board()), ""] if self._board else []
        return Group(*above, self._hosts())

    def _hosts(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for _ in range(_COLUMNS):
            table.add_column(no_wrap=True, overflow="ellipsis")
        for site, state in list(self.sites.items()):
            if not state.running:
                continue
            where = f"{state.number}/{state.of} {state.name}"
            if not state.hosts:
                table.add_row(site, where, Text(state.task, style="dim"))
            for host, counts in sorted(state.hosts.items()):
                table.add_row(
                    host,
                    where,
                    Text(state.task, style="red" if counts.failed else "dim"),
                    Text(f"{counts.ok} ok", style="green"),
                    Text(f"{counts.changed} changed", style="yellow") if counts.changed else "",
                )
        return table


@contextmanager
def shown(console: Console) -> Iterator[Lines]:
    """The way that suits the console."""
    if not console.is_terminal:
        yield Lines(console)
        return
    table = LiveTable(console)
    try:
        yield table
    finally:
        table.stop()


_COUNTS = ("ok", "changed", "failed", "unreachable", "skipped")


def recap(recaps: dict[str, dict[str, dict[str, int]]]) -> Table:
    """Site → host → counts, as a table: the proof that a second converge changes nothing."""
    table = plain("host", *_COUNTS, numbers=_COUNTS)
    for hosts in recaps.values():
        for host, counts in sorted(hosts.items()):
            style = (
                "red" if counts["failed"] or counts["unreachable"] else "yellow" if counts["changed"] else ""
            )
            table.add_row(host, *(str(counts[name]) for name in _COUNTS), style=style)
    return table


def add(total: dict[str, dict[str, int]], more: dict[str, dict[str, int]]) -> None:
    """Adds one play's counts to a run's."""
    for host, counts in more.items():
        sums = total.setdefault(host, dict.fromkeys(_COUNTS, 0))
        for name in _COUNTS:
            sums[name] += counts[name]
