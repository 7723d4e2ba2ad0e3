"""The durable record of every step of every apply: written before the step begins and after it ended."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from rollout.access import scope
from rollout.apply import processes
from rollout.apply.processes import Process

Outcome = Literal["done", "failed", "stopped", "killed"]


class Step(BaseModel):
    """One step of a run at one site; ``outcome`` is None while it runs, or if its run was killed in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    site: str
    number: int
    of: int
    name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    detail: str | None


class Run(BaseModel):
    """One call of a verb that changes sites."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    verb: str
    release: str | None
    serial: int | None
    manifest_sha256: str | None
    sites: list[str]
    who: str
    from_host: str
    pid: int
    pid_start: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    error: str | None

    @property
    def process(self) -> Process:
        """The process that wrote it."""
        return Process(self.pid, self.pid_start)

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self.ended_at is None and self.process.alive()


class Child(BaseModel):
    """A process that a run started and that may outlive it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    site: str
    pid: int
    pid_start: str

    @property
    def process(self) -> Process:
        """Its identity."""
        return Process(self.pid, self.pid_start)


class Journal:
    """One connection, shared by the threads of a run. What a method wrote is on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._who = scope.who(path.parent)
        self._cx = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._cx.row_factory = sqlite3.Row
        self._cx.execute("PRAGMA journal_mode = WAL")
        self._cx.execute("PRAGMA synchronous = FULL")
        self._cx.execute("PRAGMA foreign_keys = ON")
        self._cx.executescript(files("rollout.apply").joinpath("journal.sql").read_text())
        path.chmod(0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._cx.close()

    def begin(
        self,
        verb: str,
        sites: list[str],
        release: str | None = None,
        serial: int | None = None,
        manifest_sha256: str | None = None,
    ) -> str:
        """A new run; returns its id."""
        started = _now()
        identity = f"{started.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        process = processes.me()
        self.write(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
            identity,
            verb,
            release,
            serial,
            manifest_sha256,
            json.dumps(sites),
            self._who,
            processes.machine(),
            process.pid,
            process.start,
            started.isoformat(),
        )
        return identity

    def end(self, run: str, outcome: Outcome, error: str | None = None) -> None:
        """Closes a run."""
        sql = "UPDATE run SET ended_at = ?, outcome = ?, error = ? WHERE id = ? AND ended_at IS NULL"
        self.write(sql, _now().isoformat(), outcome, error, run)

    def begin_step(self, run: str, site: str, number: int, of: int, name: str) -> None:
        """Written before anything of the step happens."""
        sql = "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)"
        self.write(sql, run, site, number, of, name, _now().isoformat())

    def end_step(self, run: str, site: str, number: int, outcome: Outcome, detail: str | None = None) -> None:
        """Written after all of the step happened."""
        sql = """
            UPDATE step
               SET ended_at = ?, outcome = ?, detail = ?
             WHERE run = ? AND site = ? AND number = ? AND ended_at IS NULL
        """
        self.write(sql, _now().isoformat(), outcome, detail, run, site, number)

    def begin_child(self, run: str, site: str, process: Process) -> None:
        """A process was started for ``site``."""
        sql = "INSERT INTO child VALUES (?, ?, ?, ?, ?, NULL)"
        self.write(sql, run, site, process.pid, process.start, _now().isoformat())

    def end_child(self, run: str, process: Process) -> None:
        """It ended, and was seen to."""
        sql = "UPDATE child SET ended_at = ? WHERE run = ? AND pid = ? AND pid_start = ?"
        self.write(sql, _now().isoformat(), run, process.pid, process.start)

    def runs(self, limit: int = 100) -> list[Run]:
        """The newest runs, newest first."""
        return [_run(row) for row in self.rows("SELECT * FROM run ORDER BY rowid DESC LIMIT ?", limit)]

    def run(self, identity: str) -> Run | None:
        """One run."""
        return next((_run(row) for row in self.rows("SELECT * FROM run WHERE id = ?", identity)), None)

    def last(self, site: str) -> Run | None:
        """The newest run that began a step at ``site``: from then on what is there may be ours.

        Break-glass stands apart, here and in ``running``: it goes past everything else, and installs nothing.
        """
        sql = """
            SELECT *
              FROM run
             WHERE id IN (SELECT run FROM step WHERE site = ?)
               AND verb NOT LIKE 'glass %'
             ORDER BY rowid DESC
             LIMIT 1
        """
        return next((_run(row) for row in self.rows(sql, site)), None)

    def done(self, site: str) -> list[Run]:
        """Applies and rollbacks that came to their last step at ``site``, newest first."""
        sql = """
            SELECT run.*
              FROM run
              JOIN step ON step.run = run.id
             WHERE step.site = ?
               AND step.number = step.of
               AND step.outcome = 'done'
             ORDER BY run.rowid DESC
        """
        return [_run(row) for row in self.rows(sql, site)]

    def unfinished(self, site: str) -> list[Run]:
        """Runs that never said how they ended, and whose process is gone: killed, or power lost."""
        return [run for run in self._of(site) if run.ended_at is None and not run.process.alive()]

    def running(self, site: str) -> list[Run]:
        """Runs of this control node that are at ``site`` now."""
        return [run for run in self._of(site) if run.running and not run.verb.startswith("glass ")]

    def steps(self, run: str, site: str | None = None) -> list[Step]:
        """The steps of a run, in order."""
        sql = "SELECT * FROM step WHERE run = ? AND (? IS NULL OR site = ?) ORDER BY site, number"
        return [Step(**dict(row)) for row in self.rows(sql, run, site, site)]

    def last_step(self, site: str) -> Step | None:
        """The newest step at ``site``."""
        sql = "SELECT * FROM step WHERE site = ? ORDER BY rowid DESC LIMIT 1"
        return next((Step(**dict(row)) for row in self.rows(sql, site)), None)

    def open_children(self, site: str) -> list[Child]:
        """Processes for ``site`` that nobody saw end."""
        sql = "SELECT run, site, pid, pid_start FROM child WHERE site = ? AND ended_at IS NULL"
        return [Child(**dict(row)) for row in self.rows(sql, site)]

    def _of(self, site: str) -> Iterator[Run]:
        sql = """
            SELECT *
              FROM run
             WHERE EXISTS (SELECT 1 FROM json_each(run.sites) WHERE value = ?)
             ORDER BY rowid DESC
        """
        return (_run(row) for row in self.rows(sql, site))

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """What a question is answered with."""
        with self._lock:
            return list(self._cx.execute(sql, values))

    def write(self, sql: str, *values: Any) -> None:
        """Writes, to the disk."""
        with self._lock:
            self._cx.execute(sql, values)


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """The journal at ``path``, closed afterwards."""
    with Journal(path) as journal:
        yield journal


def _run(row: sqlite3.Row) -> Run:
    return Run(**{**dict(row), "sites": json.loads(row["sites"])})


def _now() -> datetime:
    return datetime.now().astimezone()
