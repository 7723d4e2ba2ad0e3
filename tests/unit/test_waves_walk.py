"""From wave to wave: order, gates, going back, pauses, windows. No hosts: what they say is given."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from rollout.apply.journal import Journal, opened
from rollout.apply.play import Stopped
from rollout.clock import SHANGHAI
from rollout.errors import ApplyError, ConfigurationError, RolloutError
from rollout.inventory import Site
from rollout.waves.board import board
from rollout.waves.gates import Instance, Member, Seen, Vitals, judge, shut
from rollout.waves.log import WaveLog
from rollout.waves.plan import Wave, waves
from rollout.waves.policy import Gates, Policy, Soak, load
from rollout.waves.walk import GateError, May, Walk, WindowError, refuse_outside
from rollout.waves.window import Window
from tests.unit.test_apply_support import World

NAMES = ("guangxi", "guilin", "liuzhou", "nanning", "yulin")
IN_ORDER = ["guangxi", "nanning", "guilin", "liuzhou", "yulin"]
POLICY = Policy(canary="nanning", cities=2, soak=Soak(pilot=1, canary=1, every=1, fails=2))


def vitals(**more: object) -> Vitals:
    members = [
        Member(name="a", role="leader", state="running", lag=0),
        Member(name="b", role="sync_standby", state="streaming", lag=0),
    ]
    instance = Instance(healthy=True, said="", requests=100, errors=0)
    given: dict[str, object] = {
        "failed_units": [],
        "alarms": [],
        "free_percent": 50.0,
        "instances": {"jincai@1.service": instance},
        "members": members,
    }
    return Vitals.model_validate({**given, **more})


@dataclass
class Pretended:
    """What the walk asks for, noted."""

    failing: dict[str, RolloutError] = field(default_factory=dict)
    ill: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    looked: bool = False
    on_apply: Callable[[str], None] = lambda _: None

    def apply(self, wave: Wave, may_begin: Callable[[], May]) -> list[RolloutError]:
        for site in wave.names:
            assert may_begin() == "now"
            self.done.append(site)
            self.on_apply(site)
        return [self.failing[name] for name in wave.names if name in self.failing]

    def settled(self, wave: Wave) -> bool:
        return set(wave.names) <= self.passed

    def look(self, site: Site) -> Seen:
        self.looked = True
        one = {"jincai@1.service": _ILL} if site.name in self.ill else vitals().instances
        return {f"{site.name}-a": vitals(instances=one), f"{site.name}-b": vitals()}

    def roll_back(self, site: Site) -> str:
        if "nothing before" in self.back:
            raise ConfigurationError("the journal knows of no build there")
        self.back.append(site.name)
        return "2026.1-3"


_ALONE = Member(name="a", role="leader", state="running", lag=0)
_ILL = Instance(healthy=False, said="migrations due", requests=1, errors=1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(tmp_path / "journal.db") as found:
        yield found


def walk(
    journal: Journal, tmp_path: Path, work: Pretended, policy: Policy = POLICY, **more: object
) -> tuple[list[RolloutError], str, list[str]]:
    """Errors, the run, and what was said."""
    sites = World(tmp_path, NAMES).all_sites
    ways = waves(policy, sites, NAMES)
    run = journal.begin("apply", list(NAMES), "2026.2", 4, "a" * 64)
    log = WaveLog(journal)
    log.plan(run, ways)
    said: list[str] = []
    one = Walk(policy, log, run, said.append, threading.Event(), **more)  # type: ignore[arg-type]
    return one.go(ways, work), run, said


def states(journal: Journal, run: str) -> dict[str, str]:
    return {wave.name: wave.state for wave in board(journal, run).waves}


def test_the_region_then_the_canary_then_the_others(tmp_path: Path) -> None:
    sites = World(tmp_path, NAMES).all_sites
    found = {wave.name: wave.names for wave in waves(POLICY, sites, NAMES)}
    assert found == {
        "pilot": ["guangxi"],
        "canary": ["nanning"],
        "wave 1": ["guilin", "liuzhou"],
        "wave 2": ["yulin"],
    }
    assert [wave.names for wave in waves(Policy(), sites, NAMES)] == [["guangxi"], list(NAMES[1:])]
    assert [wave.names for wave in waves(POLICY, sites[2:3], NAMES)] == [["liuzhou"]]
    with pytest.raises(ConfigurationError, match="there is no site hechi"):
        waves(Policy(canary="hechi"), sites, NAMES)


def test_all_waves_to_the_end(journal: Journal, tmp_path: Path) -> None:
    work = Pretended()
    errors, run, _ = walk(journal, tmp_path, work)
    assert errors == []
    assert work.done == IN_ORDER
    assert set(states(journal, run).values()) == {"done"}
    assert WaveLog(journal).passed("a" * 64) == set(NAMES)
    assert WaveLog(journal).passed("b" * 64) == set()


def test_a_canary_that_fails_its_gate_goes_back_and_nobody_follows(journal: Journal, tmp_path: Path) -> None:
    work = Pretended(ill={"nanning"})
    (error,), run, said = walk(journal, tmp_path, work)
    assert isinstance(error, GateError)
    assert error.exit_code == 4
    assert "nanning: gate health: jincai@1.service on nanning-a: migrations due" in error.message
    assert "nanning: rolled back: 2026.1-3" in error.message
    assert work.done == ["guangxi", "nanning"]
    assert work.back == ["nanning"]
    assert states(journal, run) == {
        "pilot": "done",
        "canary": "back",
        "wave 1": "waiting",
        "wave 2": "waiting",
    }
    assert "not begun: guilin, liuzhou, yulin" in said


def test_without_anything_before_it_stays_and_the_report_says_so(journal: Journal, tmp_path: Path) -> None:
    work = Pretended(ill={"guangxi"}, back=["nothing before"])
    (error,), run, _ = walk(journal, tmp_path, work)
    assert "guangxi: not rolled back: the journal knows of no build there" in error.message
    assert states(journal, run)["pilot"] == "failed"
    left, run, _ = walk(journal, tmp_path, Pretended(ill={"guangxi"}), auto_rollback=False)
    assert "rolled back" not in left[0].message


def test_a_gate_that_opens_again_in_time_lets_pass(journal: Journal, tmp_path: Path) -> None:
    work = Pretended()
    looks = iter([False, True, False, False, False, False, False, False])

    def look(site: Site) -> Seen:
        ill = site.name == "nanning" and next(looks)
        return {site.name: vitals(instances={"jincai@1.service": _ILL} if ill else vitals().instances)}

    work.look = look  # type: ignore[method-assign]
    errors, _, _ = walk(journal, tmp_path, work)
    assert errors == []


def test_a_failing_site_stops_later_waves(journal: Journal, tmp_path: Path) -> None:
    work = Pretended(failing={"liuzhou": ApplyError("liuzhou: step 3 failed")})
    (error,), run, said = walk(journal, tmp_path, work)
    assert error.message == "liuzhou: step 3 failed"
    assert work.done == IN_ORDER[:4]
    assert states(journal, run)["wave 1"] == "failed"
    assert "not begun: yulin" in said


def test_a_crash_while_watched_is_made_up_for(journal: Journal, tmp_path: Path) -> None:
    """The canary has the release, but nobody watched it to the end: so it is watched before others follow."""
    work = Pretended(passed={"guangxi"}, ill={"nanning"})
    (error,), _, _ = walk(journal, tmp_path, work)
    assert isinstance(error, GateError)
    assert "guangxi" not in work.done


def test_stop_and_pause_from_another_terminal(journal: Journal, tmp_path: Path) -> None:
    log = WaveLog(journal)
    work = Pretended()
    work.on_apply = lambda site: (
        log.wish(journal.runs(1)[0].id, "stop", "the minister comes") if site == "nanning" else None
    )
    (error,), run, _ = walk(journal, tmp_path, work)
    assert isinstance(error, Stopped)
    assert work.done == ["guangxi", "nanning"]
    assert states(journal, run)["canary"] == "stopped"
    assert log.wanted(run) == "stop"
    journal.end(run, "stopped")

    other = Pretended()

    def hold(site: str) -> None:
        run = journal.runs(1)[0].id
        if site == "guangxi":
            log.wish(run, "pause", "lunch")
            threading.Timer(2.5, log.wish, (run, "resume", "back")).start()

    other.on_apply = hold
    errors, _, said = walk(journal, tmp_path, other)
    assert errors == []
    assert any("paused" in line for line in said)


def test_outside_the_window(journal: Journal, tmp_path: Path) -> None:
    noon = datetime(2026, 11, 18, 12, 0, tzinfo=SHANGHAI)
    policy = POLICY.model_copy(update={"window": Window()})
    with pytest.raises(WindowError, match=r"by day.*opens at 2026-11-18 20:00") as caught:
        refuse_outside(policy, noon, wait=False, outside="")
    assert caught.value.exit_code == 1
    refuse_outside(policy, noon, wait=True, outside="")
    refuse_outside(policy, noon, wait=False, outside="a fault")
    # It closes while the pilot is watched: the canary does not begin.
    work = Pretended()
    night = noon.replace(hour=5, minute=59)
    (error,), _, _ = walk(journal, tmp_path, work, policy, now=lambda: noon if work.looked else night)
    assert isinstance(error, Stopped)
    assert work.done == ["guangxi"]


@pytest.mark.parametrize(
    ("change", "gate", "figure"),
    [
        ({"failed_units": ["cron.service"]}, "units", "cron.service on x-a"),
        ({"alarms": ["etcd: NOSPACE"]}, "alarms", "etcd: NOSPACE on x-a"),
        ({"free_percent": 2.0}, "disk", "2 % free on x-a"),
        ({"members": None}, "replication", "Patroni does not answer"),
        (
            {"members": [Member(name="a", role="leader", state="running", lag=0)]},
            "replication",
            "no synchronous",
        ),
        ({"instances": {}}, "health", "no instance"),
        ({"instances": {"jincai@1.service": _ILL}}, "health", "migrations due"),
    ],
)
def test_gates_name_what_shut_them(change: dict[str, object], gate: str, figure: str) -> None:
    first: Seen = {"x-a": vitals()}
    assert shut(judge(Gates(), first, first)) == []
    found = {one.gate: one.figure for one in shut(judge(Gates(), first, {"x-a": vitals(**change)}))}
    assert figure in found[gate]


def test_only_answers_since_the_watch_began_count() -> None:
    def answered(requests: int, errors: int) -> Seen:
        one = Instance(healthy=True, said="", requests=requests, errors=errors)
        return {"x-a": vitals(instances={"jincai@1.service": one})}

    assert shut(judge(Gates(), answered(100, 90), answered(200, 90))) == []
    (found,) = shut(judge(Gates(), answered(100, 0), answered(200, 5)))
    assert (found.gate, found.figure) == ("errors", "5.00 % of 100 answers (at most 1 %)")
    # A process that started anew counts from nought.
    assert [one.gate for one in shut(judge(Gates(), answered(1000, 0), answered(50, 5)))] == ["errors"]
    assert [one.gate for one in shut(judge(Gates(), {}, {"x-a": "no answer"}))] == ["reachable"]


def test_a_policy_is_read_or_named(tmp_path: Path) -> None:
    assert load(tmp_path) == Policy()
    file = tmp_path / "waves.yml"
    file.write_text("canary: nanning\ncities: 3\nwindow: {begins: 20:00, ends: '06:00'}\n")
    assert load(tmp_path).window == Window()
    file.write_text("canary: nanning\ncitys: 3\nsoak: {every: 0}\n")
    with pytest.raises(ConfigurationError, match=r"waves\.yml: soak\.every: .*; citys: "):
        load(tmp_path)
