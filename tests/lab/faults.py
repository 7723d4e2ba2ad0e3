"""A fault at one step of one verb: the orchestrator is killed there, or a host loses its power.

Afterwards the same call is made again, or the city is rolled back; either must end uniform, with every
acknowledged payment there.
"""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rollout.apply.plays import plays
from rollout.paths import content
from tests.lab import load, second_release
from tests.lab.city import City

Verb = Literal["apply", "upgrade", "rollback", "confirm"]
WHENS = ("before", "during", "after")
# From which saved state each verb starts; made once, put back in seconds.
STATES: dict[Verb, str] = {"apply": "bare", "upgrade": "first", "rollback": "second", "confirm": "second"}
HALT_SECONDS = 300

# Every voucher balances, quotas are what was paid, numbers have no gaps: as tests/platform/posting.py.
_UNSOUND = """
SELECT count(*) FROM (
  SELECT 1 FROM ledger.voucher_line GROUP BY voucher_id HAVING sum(debit) <> sum(credit)
   UNION ALL
  SELECT 1 FROM payment.quota AS q
    LEFT JOIN (SELECT quota_id, sum(amount) AS paid FROM payment.payment GROUP BY 1) AS p ON p.quota_id = q.id
   WHERE q.used <> coalesce(p.paid, 0)
   UNION ALL
  SELECT 1 FROM payment.payment GROUP BY unit_id HAVING max(posting_no) <> count(*)
) AS found
"""


@dataclass(frozen=True)
class Fault:
    """What happens where.

    Attributes:
        verb: what is being done.
        point: ``step:when``, as `rollout.apply.killpoint` reads it.
        what: ``kill`` the orchestrator, or cut the power of ``a``, ``b`` or ``s``.
        then: ``again``, the same call; or ``back``, a rollback.
    """

    verb: Verb
    point: str
    what: Literal["kill", "a", "b", "s"] = "kill"
    then: Literal["again", "back"] = "again"

    def __str__(self) -> str:
        what = "killed" if self.what == "kill" else f"power of {self.what} cut"
        return f"{self.verb} {self.point} {what}, {self.then}"


def steps() -> list[str]:
    """The names of the steps between the push and the audit."""
    return [play.name for play in plays(content())]


def points(verb: Verb) -> list[str]:
    """Every point of a verb, in the order in which it meets them."""
    if verb == "confirm":
        return [f"contract:{when}" for when in WHENS]
    inner = [f"{step}:{when}" for step in steps() for when in WHENS]
    ends = [f"{step}:{when}" for step in ("audit", "record") for when in ("before", "after")]
    return ["push depot:before", "push depot:after", *inner, *ends]


def every() -> list[Fault]:
    """The whole matrix: each kill point of each verb, and each host's power in the middle of each step."""
    kills = [Fault(verb, point) for verb in STATES for point in points(verb)]
    backs = [Fault("upgrade", point, then="back") for point in points("upgrade") if point.endswith("during")]
    cuts = [
        Fault(verb, f"{step}:during", host)
        for verb in STATES
        for step in (["contract"] if verb == "confirm" else steps())
        for host in ("a", "b", "s")
    ]
    return [*kills, *backs, *cuts]


def draw(seed: int, count: int) -> list[Fault]:
    """``count`` of them, by chance that can be repeated."""
    return random.Random(seed).sample(every(), count)  # noqa: S311 - a draw, not a secret


@dataclass
class Ground:
    """The city in each state that a verb starts from, and the releases that take it there."""

    city: City
    first: str = "2026.1"
    second: str = ""

    def prepare(self) -> None:
        """Makes the states that are not saved yet; twenty payments are in each."""
        city = self.city
        self.second = second_release.build(city)
        saved = city.lab.site(city.site).saved()
        if "second" in saved:
            return
        city.lab.restore([city.site], "bare")
        city.forget()
        self._apply(self.first)
        self._keep("first")
        self._apply(self.second)
        self._keep("second")

    def restore(self, state: str) -> None:
        """Puts hosts and the control node's record of them back."""
        city = self.city
        city.lab.restore([city.site], state)
        city.forget(record=self._folder(state))
        for letter in "abs":
            city.host(letter).wait_ssh()
        if state != "bare":
            city.wait_whole()
            city.wait_for("/healthz", 60)

    def call(self, verb: Verb) -> list[str]:
        """The command line of a verb."""
        site = ["--site", self.city.site, "--yes"]
        return {
            "apply": ["apply", self.first, *site],
            "upgrade": ["apply", self.second, *site],
            "rollback": ["rollback", self.first, *site],
            "confirm": ["confirm", *site],
        }[verb]

    def _apply(self, release: str) -> None:
        self.city.rollout("apply", release, "--site", self.city.site, "--yes")
        self.city.wait_whole()
        with load.payments(self.city):
            time.sleep(2)

    def _keep(self, state: str) -> None:
        city = self.city
        folder = self._folder(state)
        folder.mkdir(parents=True, exist_ok=True)
        for end in ("json", "json.asc"):
            file = city.home.records / f"{city.site}.{end}"
            (folder / file.name).write_bytes(file.read_bytes())
        city.lab.site(city.site).save(state)
        city.wait_whole()

    def _folder(self, state: str) -> Path:
        return self.city.home.root / "states" / state


def suffer(ground: Ground, fault: Fault) -> dict[str, object]:
    """From its state through the fault to the end: ``result``, and how long it took to each."""
    city = ground.city
    ground.restore(STATES[fault.verb])
    begun = time.monotonic()
    with _clients(city, fault.verb) as seen:
        hit = (_killed if fault.what == "kill" else _cut)(ground, fault)
        halted = time.monotonic()
        if hit:
            return {"result": f"FAILED: {hit}", "fault_s": round(halted - begun), "end_s": 0}
        if fault.verb != "apply":
            city.wait_whole()
        call = ground.call("rollback" if fault.then == "back" else fault.verb)
        done = city.rollout(*call, expect=None)
    seconds = {"fault_s": round(halted - begun), "end_s": round(time.monotonic() - halted)}
    if done.returncode:
        return {"result": f"FAILED: {(done.stderr + done.stdout).strip()[-600:]}", **seconds}
    return {"result": _judge(ground, fault, seen), **seconds}


@contextmanager
def _clients(city: City, verb: Verb) -> Iterator[load.Load]:
    """A city that runs has people who pay; a bare one does not."""
    if verb == "apply":
        yield load.Load()
        return
    with load.payments(city) as seen:
        yield seen


def _killed(ground: Ground, fault: Fault) -> str:
    done = ground.city.rollout(*ground.call(fault.verb), expect=None, ROLLOUT_KILL_AT=fault.point)
    if done.returncode == -signal.SIGKILL:
        return ""
    return f"was not killed: exit {done.returncode}: {(done.stderr + done.stdout)[-400:]}"


def _cut(ground: Ground, fault: Fault) -> str:
    """The host loses power in the middle of the step, and gets it back when the run has ended."""
    city, mark = ground.city, ground.city.home.root / "halted"
    mark.unlink(missing_ok=True)
    run = city.start(*ground.call(fault.verb), ROLLOUT_PAUSE_AT=fault.point, ROLLOUT_PAUSE_FILE=str(mark))
    host = city.host(fault.what)
    try:
        if not _wait(lambda: mark.exists() or run.poll() is not None, HALT_SECONDS) or run.poll() is not None:
            return f"never came to {fault.point}"
        host.cut_power()
        mark.unlink()
        run.communicate(timeout=900)
    except subprocess.TimeoutExpired:
        run.kill()
        return "did not end within 900 s of the power cut"
    finally:
        host.start()
        host.wait_ssh()
    return ""


def _judge(ground: Ground, fault: Fault, seen: load.Load) -> str:
    city = ground.city
    city.wait_whole()
    release = (
        ground.second if fault.verb in {"upgrade", "confirm"} and fault.then == "again" else ground.first
    )
    audit = city.rollout("audit", release, "--site", city.site, expect=None)
    if audit.returncode:
        return f"FAILED: not uniform: {audit.stdout[-600:]}"
    gone = load.lost(city, seen)
    if gone:
        return f"FAILED: {len(gone)} acknowledged payments are gone"
    unsound = city.sql(_UNSOUND)
    if unsound != "0":
        return f"FAILED: the books do not agree: {unsound}"
    if fault.what == "kill" and seen.failed:
        return f"FAILED: {len(seen.failed)} requests: {seen.failed[0][1]}"
    return "uniform"


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.05)
    return False
