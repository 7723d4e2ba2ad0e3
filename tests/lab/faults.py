"""A fault at one step of one verb: the orchestrator is killed there, or a host loses its power.

Afterwards the same call is made again, or the city is rolled back; either must end uniform, with every
acknowledged payment there.

Faults may follow each other in a chain: the call that is made again suffers the next one, further on. So it
shows of each fault that the next call gets past it, and of the last that the city ends uniform, in a
fraction of the time. What a chain cannot show is that any of them heals by itself without the later calls:
that takes each of them alone.
"""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rollout.apply.plays import plays
from rollout.paths import content
from tests.lab import editions, load, second_release
from tests.lab.city import City

Verb = Literal["apply", "upgrade", "rollback", "confirm", "replace"]
WHENS = ("before", "during", "after")
# From which saved state each verb starts; made once, put back in seconds.
STATES: dict[Verb, str] = {
    "apply": "bare",
    "upgrade": "first",
    "rollback": "second",
    "confirm": "second",
    "replace": "other",
}
HALT_SECONDS = 300
# Enough to notice what fails; more would only slow down what is tried.
CHAIN_CLIENTS = 2

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
    backs = [
        Fault(verb, point, then="back")
        for verb in ("upgrade", "replace")
        for point in points(verb)
        if point.endswith("during")
    ]
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

    def prepare(self, verbs: Iterable[Verb]) -> None:
        """Builds what these verbs need, and saves their states where they are not; payments are in each."""
        city, states = self.city, {STATES[verb] for verb in verbs}
        saved = city.lab.site(city.site).saved()
        if states & {"first", "second"}:
            self.second = second_release.build(city)
            if "second" not in saved:
                self._from_bare(self.first)
                self._keep("first")
                self._apply(self.second)
                self._keep("second")
        if "other" in states:
            editions.build(city)
            if "other" not in saved:
                self._from_bare(editions.OLD)
                editions.fill(city)
                self._keep("other")

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
            "replace": ["apply", editions.NEW, *site],
        }[verb]

    def last(self, fault: Fault) -> list[str]:
        """The command line that ends what the fault broke off."""
        if fault.then == "again":
            return self.call(fault.verb)
        return ["rollback", self.release_after(fault), "--site", self.city.site, "--yes"]

    def release_after(self, fault: Fault) -> str:
        """What the city runs when all has ended well."""
        if fault.verb == "replace":
            return editions.NEW if fault.then == "again" else editions.OLD
        there = fault.verb in {"upgrade", "confirm"} and fault.then == "again"
        return self.second if there else self.first

    def _from_bare(self, release: str) -> None:
        self.city.lab.restore([self.city.site], "bare")
        self.city.forget()
        self._apply(release)

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


def chains() -> list[list[Fault]]:
    """The faults that the same call follows: of each verb the kills, then the power cuts, in order."""
    found: dict[tuple[str, bool], list[Fault]] = {}
    for fault in every():
        if fault.then == "again":
            found.setdefault((fault.verb, fault.what == "kill"), []).append(fault)
    return list(found.values())


def suffer(ground: Ground, chain: Sequence[Fault]) -> list[dict[str, object]]:
    """From a verb's state through one fault after the other to the end: a row for each.

    A row has ``result``, the seconds until the fault (``fault_s``), and those of the call that ended the
    chain (``end_s``). All have the same end: what spoils the last call spoils the chain.
    """
    city, verb = ground.city, chain[0].verb
    ground.restore(STATES[verb])
    rows: list[dict[str, object]] = []
    with _clients(city, verb, load.CLIENTS if len(chain) == 1 else CHAIN_CLIENTS) as seen:
        for fault in chain:
            begun = time.monotonic()
            missed = (_killed if fault.what == "kill" else _cut)(ground, fault)
            rows.append({"result": missed, "fault_s": round(time.monotonic() - begun)})
            if verb != "apply" and not missed:
                city.wait_whole()
            print(f"  {fault}: {missed or 'hit'}", flush=True)
        halted = time.monotonic()
        done = city.rollout(*ground.last(chain[-1]), expect=None)
    seconds = round(time.monotonic() - halted)
    failed = (
        (done.stderr + done.stdout).strip()[-600:] if done.returncode else _judge(ground, chain[-1], seen)
    )
    for row in rows:
        wrong = row["result"] or failed
        row |= {"result": f"FAILED: {wrong}" if wrong else "uniform", "end_s": seconds}
    return rows


@contextmanager
def _clients(city: City, verb: Verb, clients: int) -> Iterator[load.Load]:
    """A city that runs has people who pay; a bare one does not."""
    if verb == "apply":
        yield load.Load()
        return
    with load.payments(city, clients) as seen:
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
    """What is wrong at the end; nothing when all is well."""
    city = ground.city
    city.wait_whole()
    audit = city.rollout("audit", ground.release_after(fault), "--site", city.site, expect=None)
    if audit.returncode:
        return f"not uniform: {audit.stdout[-600:]}"
    gone = load.lost(city, seen)
    if gone:
        return f"{len(gone)} acknowledged payments are gone"
    unsound = city.sql(_UNSOUND)
    if unsound != "0":
        return f"the books do not agree: {unsound}"
    if fault.what == "kill" and seen.failed:
        return f"{len(seen.failed)} requests: {seen.failed[0][1]}"
    return ""


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.05)
    return False
