"""What happened between the sites' steps: waves, gates, wishes. In the journal, beside the steps."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rollout.apply import processes
from rollout.apply.journal import Journal
from rollout.errors import ConfigurationError
from rollout.waves.gates import Verdict
from rollout.waves.plan import Wave

Wanted = Literal["pause", "resume", "stop", "outside"]  # the window


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WaveRow(_Row):
    """A wave: ``outcome`` None while it goes on, else done, failed, stopped, or back (rolled back)."""

    run: str
    number: int
    name: str
    sites: list[str]
    soak: int
    started_at: datetime | None
    watched_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    detail: str | None


class GateRow(_Row):
    """One gate at one look."""

    run: str
    wave: int
    site: str
    taken_at: datetime
    gate: str
    open: bool
    figure: str


class Wish(_Row):
    """What a person wanted of a run that goes on."""

    run: str
    wanted: Wanted
    who: str
    reason: str
    at: datetime


class WaveLog:
    """Reads and writes them; what a method wrote is on the disk when it returns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def plan(self, run: str, waves: list[Wave]) -> None:
        """All waves of a run, before the first begins: the board shows what is to come."""
        for wave in waves:
            sql = "INSERT INTO wave VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL)"
            self._journal.write(sql, run, wave.number, wave.name, json.dumps(wave.names), wave.soak)

    def begin(self, run: str, number: int) -> None:
        """A wave begins."""
        self._journal.write(
            "UPDATE wave SET started_at = ? WHERE (run, number) = (?, ?)", _now(), run, number
        )

    def watch(self, run: str, number: int) -> None:
        """Its sites have the release; from now on they are watched."""
        self._journal.write(
            "UPDATE wave SET watched_at = ? WHERE (run, number) = (?, ?)", _now(), run, number
        )

    def end(self, run: str, number: int, outcome: str, detail: str = "") -> None:
        """It ended."""
        sql = "UPDATE wave SET ended_at = ?, outcome = ?, detail = ? WHERE (run, number) = (?, ?)"
        self._journal.write(sql, _now(), outcome, detail or None, run, number)

    def gates(self, run: str, wave: int, site: str, verdicts: list[Verdict]) -> None:
        """One look at a site."""
        now = _now()
        for one in verdicts:
            sql = "INSERT OR REPLACE INTO gate VALUES (?, ?, ?, ?, ?, ?, ?)"
            self._journal.write(sql, run, wave, site, now, one.gate, int(one.open), one.figure)

    def wish(self, run: str, wanted: Wanted, reason: str) -> None:
        """A person wants something of a run."""
        sql = "INSERT INTO wish (run, wanted, who, reason, at) VALUES (?, ?, ?, ?, ?)"
        self._journal.write(sql, run, wanted, processes.person(), reason, _now())

    def wanted(self, run: str) -> Wanted | None:
        """What was wished last; a stop stays one."""
        wishes = [one.wanted for one in self.wishes(run) if one.wanted != "outside"]
        return "stop" if "stop" in wishes else wishes[-1] if wishes else None

    def wishes(self, run: str) -> list[Wish]:
        """All of a run, in order."""
        sql = "SELECT run, wanted, who, reason, at FROM wish WHERE run = ? ORDER BY id"
        return [Wish(**dict(row)) for row in self._journal.rows(sql, run)]

    def waves(self, run: str) -> list[WaveRow]:
        """Those of a run, in order; the ones to come have no start."""
        rows = self._journal.rows("SELECT * FROM wave WHERE run = ? ORDER BY number", run)
        return [WaveRow(**_wave(row)) for row in rows]

    def passed(self, manifest_sha256: str) -> set[str]:
        """Sites that came to the end of a wave with this very build, whatever run that was."""
        sql = """
            SELECT DISTINCT site.value
              FROM wave
              JOIN run ON run.id = wave.run
              JOIN json_each(wave.sites) AS site
             WHERE run.manifest_sha256 = ?
               AND wave.outcome = 'done'
        """
        return {str(row[0]) for row in self._journal.rows(sql, manifest_sha256)}

    def looks(self, run: str) -> list[GateRow]:
        """Every gate at every look of a run."""
        sql = "SELECT * FROM gate WHERE run = ? ORDER BY taken_at, site, gate"
        return [GateRow(**{**dict(row), "open": bool(row["open"])}) for row in self._journal.rows(sql, run)]


def going_on(journal: Journal) -> str:
    """The run that goes on in waves; ConfigurationError when there is none."""
    for run in journal.runs(50):
        if run.running and run.verb in {"apply", "rollback"}:
            return run.id
    raise ConfigurationError("no apply is going on here", "`rollout status` shows what went on before.")


def _wave(row: Any) -> dict[str, Any]:
    moments = {
        name: datetime.fromisoformat(row[name]) if row[name] else None
        for name in ("started_at", "watched_at", "ended_at")
    }
    return {**dict(row), "sites": json.loads(row["sites"]), **moments}


def _now() -> str:
    return datetime.now().astimezone().isoformat()
