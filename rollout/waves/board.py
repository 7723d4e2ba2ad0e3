"""A run as a board: every wave, every site, its step and how long.

From the journal alone: so it works from another terminal, on a page, and for any moment of a run long past.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rollout.apply.journal import Journal, Run, Step
from rollout.errors import ConfigurationError
from rollout.waves.log import GateRow, WaveLog, WaveRow, Wish

State = Literal["waiting", "running", "watched", "done", "failed", "stopped", "killed", "back"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gate(_Part):
    """A gate as it was at the newest look."""

    gate: str
    open: bool
    figure: str


class BoardSite(_Part):
    """One site; ``number`` of ``of`` steps, seconds since its first step."""

    site: str
    state: State
    number: int
    of: int
    step: str
    seconds: float
    step_seconds: float
    detail: str
    gates: list[Gate]


class BoardWave(_Part):
    """One wave; ``left`` seconds are still to be watched."""

    number: int
    name: str
    state: State
    soak: int
    left: float
    detail: str
    sites: list[BoardSite]


class Board(_Part):
    """A run at one moment."""

    run: str
    verb: str
    release: str
    who: str
    from_host: str
    started_at: datetime
    at: datetime
    state: State
    wanted: str
    waves: list[BoardWave]

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in {"running", "watched", "waiting"}

    @property
    def counts(self) -> tuple[int, int]:
        """Sites that are done, of all."""
        sites = [site for wave in self.waves for site in wave.sites]
        return sum(site.state == "done" for site in sites), len(sites)


def newest(journal: Journal) -> str:
    """The newest run that had waves; ConfigurationError when there is none."""
    log = WaveLog(journal)
    for run in journal.runs(200):
        if log.waves(run.id):
            return run.id
    raise ConfigurationError("no run is in the journal yet", "Begin one: rollout apply RELEASE")


def span(journal: Journal, run: str) -> tuple[datetime, datetime]:
    """From when to when a run went on; until now, or its last sign of life."""
    found = _run(journal, run)
    if found.ended_at:
        return found.started_at, found.ended_at
    if found.running:
        return found.started_at, datetime.now().astimezone()
    signs = [step.ended_at or step.started_at for step in journal.steps(run)]
    return found.started_at, max([found.started_at, *signs])


def board(journal: Journal, run: str, at: datetime | None = None) -> Board:
    """The run at ``at``; now, or its end, if none is given. ConfigurationError when there is no such run."""
    found, log = _run(journal, run), WaveLog(journal)
    moment = at or span(journal, run)[1]
    steps = [step for step in journal.steps(run) if step.started_at <= moment]
    looks = [look for look in log.looks(run) if look.taken_at <= moment]
    alive = found.running or (found.ended_at is not None and moment < found.ended_at)
    waves = [_wave(row, steps, looks, moment, alive=alive) for row in log.waves(run)]
    ended = found.ended_at is not None and found.ended_at <= moment
    wishes = [wish for wish in log.wishes(run) if wish.at <= moment]
    return Board(
        run=found.id,
        verb=found.verb,
        release=f"{found.release}-{found.serial}",
        who=found.who,
        from_host=found.from_host,
        started_at=found.started_at,
        at=moment,
        state=(found.outcome or "killed") if ended else "running" if alive else "killed",
        wanted="" if ended else _wanted(wishes),
        waves=waves,
    )


def _run(journal: Journal, run: str) -> Run:
    found = journal.run(run)
    if found is None:
        raise ConfigurationError(f"{run}: there is no such run", "`rollout status --json` names runs.")
    return found


def _wanted(wishes: Sequence[Wish]) -> str:
    if not wishes or wishes[-1].wanted == "resume":
        return ""
    last = wishes[-1]
    return f"{last.wanted} ({last.who}: {last.reason})"


def _wave(
    row: WaveRow, steps: Sequence[Step], looks: Sequence[GateRow], at: datetime, *, alive: bool
) -> BoardWave:
    own = [look for look in looks if look.wave == row.number]
    state = _wave_state(row, at, alive=alive)
    sites = [
        _site(name, state, [s for s in steps if s.site == name], own, at, alive=alive) for name in row.sites
    ]
    left = 0.0
    if state == "watched" and row.watched_at:
        left = max(0.0, (row.watched_at + timedelta(seconds=row.soak) - at).total_seconds())
    return BoardWave(
        number=row.number,
        name=row.name,
        state=state,
        soak=row.soak,
        left=round(left, 1),
        detail=(row.detail or "") if row.ended_at and row.ended_at <= at else "",
        sites=sites,
    )


def _wave_state(row: WaveRow, at: datetime, *, alive: bool) -> State:
    if row.ended_at and row.ended_at <= at:
        states: dict[str, State] = {"done": "done", "failed": "failed", "stopped": "stopped", "back": "back"}
        return states.get(row.outcome or "", "failed")
    if not row.started_at or row.started_at > at:
        return "waiting"
    if not alive:
        return "killed"
    return "watched" if row.watched_at and row.watched_at <= at else "running"


def _site(
    name: str, wave: State, steps: Sequence[Step], looks: Sequence[GateRow], at: datetime, *, alive: bool
) -> BoardSite:
    newest_look = max((look.taken_at for look in looks if look.site == name), default=None)
    gates = [
        Gate(gate=look.gate, open=look.open, figure=look.figure)
        for look in looks
        if look.site == name and look.taken_at == newest_look
    ]
    if not steps:
        state: State = wave if wave in {"done", "watched", "back"} else "waiting"
        return BoardSite(
            site=name, state=state, number=0, of=0, step="", seconds=0, step_seconds=0, detail="", gates=gates
        )
    last = steps[-1]
    ended = last.ended_at if last.ended_at and last.ended_at <= at else None
    state = _site_state(last, wave, ended=ended is not None, alive=alive)
    return BoardSite(
        site=name,
        state=state,
        number=last.number,
        of=last.of,
        step=last.name,
        seconds=round(((ended or at) - steps[0].started_at).total_seconds(), 1),
        step_seconds=round(((ended or at) - last.started_at).total_seconds(), 1),
        detail=(last.detail or "") if ended else "",
        gates=gates,
    )


def _site_state(last: Step, wave: State, *, ended: bool, alive: bool) -> State:
    if not ended:
        return "running" if alive else "killed"
    if last.outcome != "done":
        return last.outcome or "failed"
    if last.number < last.of:
        return "running" if alive else "killed"
    return wave if wave in {"watched", "back"} else "done"
