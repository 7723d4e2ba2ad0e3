"""A whole apply: real journal, lease, children, playbooks and record; release, push and audit pretend."""

import json
from pathlib import Path

import pytest

from rollout.apply.journal import opened
from rollout.apply.record import load_record
from rollout.apply.run import MovedError, Options
from rollout.audit.findings import Finding
from rollout.errors import ApplyError, Exit, HeldError, UnreachableError
from tests.unit.test_apply_support import World, yes

STEPS = ["push depot", "one", "two", "audit", "record"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("real", [True, False])
def test_every_step_in_order_journalled_recorded_and_unlocked(world: World, real: bool) -> None:
    world.real = real
    result = world.applicant().apply(world.all_sites, yes)
    assert result.exit is Exit.OK
    with opened(world.home.journal) as journal:
        last = journal.last("hezhou")
        assert last is not None
        assert (last.outcome, last.release, last.serial) == ("done", "2026.1", 3)
        assert [(step.name, step.outcome, step.of) for step in journal.steps(last.id)] == [
            (name, "done", 5) for name in STEPS
        ]
    record = load_record(world.home, "hezhou")
    assert record is not None
    assert record.run == last.id
    assert set(record.hosts["hezhou-a"].files) == {str(world.folder / f"out/{n}hezhou-a") for n in ("", "d-")}
    copy = world.folder / "hosts/hezhou-s/var/lib/rollout/records/hezhou.json"
    assert copy.read_bytes() == (world.home.records / "hezhou.json").read_bytes()
    assert not world.lease().exists()
    # The playbooks were told exactly the release's packages, and to remove just what the plan named.
    written = (world.folder / "out" / "hezhou-s").read_text()
    assert written.startswith("2026.1-3 ")
    assert json.loads(written.partition(" ")[2]) == {
        "install": ["etcd-server=3.4.23-4"],
        "remove": ["telnet"],
    }
    assert world.output.getvalue().count(" done ") == 5
    assert world.log.index("verify") < world.log.index("push")


def test_where_nothing_is_to_do_nothing_is_touched(world: World) -> None:
    world.state = "nothing"
    result = world.applicant().apply(world.all_sites, lambda _: pytest.fail("asked"))
    assert (result.exit, result.run) == (Exit.OK, None)
    assert world.log == ["plan"]
    with opened(world.home.journal) as journal:
        assert journal.runs() == []


def test_converge_runs_every_step_all_the_same_and_counts(world: World) -> None:
    world.real = True
    world.applicant().apply(world.all_sites, yes)
    world.state = "nothing"
    result = world.applicant(Options(converge=True)).apply(world.all_sites, yes)
    assert {host: counts["changed"] for host, counts in result.recaps["hezhou"].items()} == dict.fromkeys(
        ("hezhou-a", "hezhou-b", "hezhou-s"), 0
    )
    assert result.recaps["hezhou"]["hezhou-a"]["ok"] == 4


def test_who_does_not_agree_changes_nothing(world: World) -> None:
    result = world.applicant().apply(world.all_sites, lambda _: False)
    assert result.exit is Exit.FINDINGS
    assert world.log == ["plan"]


def test_an_unreachable_host_is_named_before_anything_begins(world: World) -> None:
    world.state = "blocked"
    with pytest.raises(UnreachableError, match="hezhou-a: no answer") as caught:
        world.applicant().apply(world.all_sites, yes)
    assert caught.value.exit_code == Exit.UNREACHABLE
    assert world.log == ["plan"]


def test_an_approved_plan_runs_only_while_it_holds(world: World) -> None:
    approved = world.plan(world.all_sites)
    world.found = "9" * 64
    with pytest.raises(MovedError, match="hezhou: its hosts are not as they were") as caught:
        world.applicant().apply(world.all_sites, yes, approved)
    assert caught.value.exit_code == Exit.FINDINGS
    assert world.log == ["plan"]
    world.found = "0" * 64
    assert world.applicant().apply(world.all_sites, yes, approved).exit is Exit.OK


def test_what_moves_while_a_person_thinks_stops_the_apply(world: World) -> None:
    def agree(_plan: object) -> bool:
        world.found = "9" * 64
        return True

    with pytest.raises(MovedError):
        world.applicant().apply(world.all_sites, agree)
    assert "push" not in world.log
    assert not world.lease().exists()


def test_with_yes_the_newest_look_counts_but_removes_only_what_was_shown(world: World) -> None:
    def agree(_plan: object) -> bool:
        world.found, world.removed = "9" * 64, ["telnet", "nmap"]
        return True

    assert world.applicant(Options(yes=True)).apply(world.all_sites, agree).exit is Exit.OK
    assert json.loads((world.folder / "out" / "hezhou-a").read_text().partition(" ")[2])["remove"] == [
        "telnet"
    ]


def test_a_host_that_goes_away_while_the_lease_is_taken_fails_the_site(world: World) -> None:
    def agree(_plan: object) -> bool:
        world.state = "blocked"
        return True

    with pytest.raises(ApplyError, match="hezhou-a: no answer"):
        world.applicant(Options(yes=True)).apply(world.all_sites, agree)
    assert not world.lease().exists()


def test_a_failure_names_step_host_task_and_log_and_the_next_apply_goes_on(world: World) -> None:
    broken = world.folder / "out" / "broken-hezhou-b"
    broken.touch()
    with pytest.raises(ApplyError) as caught:
        world.applicant().apply(world.all_sites, yes)
    text = str(caught.value)
    assert "hezhou: step 3 of 5 (two) failed" in text
    assert "hezhou-b: task “There is nothing in the way”" in text
    assert "log: " in text
    assert "running apply again goes on" in text
    assert caught.value.exit_code == Exit.FAILED
    assert not world.lease().exists()
    assert load_record(world.home, "hezhou") is None
    with opened(world.home.journal) as journal:
        last = journal.last("hezhou")
        assert last is not None
        assert (last.outcome, journal.steps(last.id)[-1].outcome) == ("failed", "failed")
    broken.unlink()
    world.log.clear()
    assert world.applicant().apply(world.all_sites, yes).exit is Exit.OK
    # A failed run may have left a host half-configured: it is healed before reality is read.
    assert [line for line in world.log if line.endswith(": heal")]
    assert world.log.index("hezhou-s: heal") < world.log.index("plan")


def test_without_a_uniform_audit_there_is_no_record(world: World) -> None:
    world.findings = [
        Finding(component="etcd", kind="behind", expected="3.4.23", found="3.4.20", action="install")
    ]
    with pytest.raises(ApplyError, match=r"etcd behind: 3\.4\.20 \(expected 3\.4\.23\)"):
        world.applicant().apply(world.all_sites, yes)
    assert load_record(world.home, "hezhou") is None
    assert not (world.folder / "hosts/hezhou-s/var/lib/rollout/records").exists()


def test_check_mode_leases_pushes_and_records_nothing(world: World) -> None:
    world.real = True
    result = world.applicant(Options(check=True)).apply(world.all_sites, yes)
    assert result.exit is Exit.OK
    assert world.log == ["plan", "verify"]
    assert not (world.folder / "out" / "hezhou-a").exists()
    assert result.recaps["hezhou"]["hezhou-a"]["changed"] == 2
    with opened(world.home.journal) as journal:
        assert journal.last("hezhou") is None


def test_a_site_that_somebody_holds_is_refused(world: World) -> None:
    world.lease().parent.mkdir(parents=True)
    world.lease().write_text(json.dumps({"run": "r-1", "who": "li.na", "from_host": "node2"}))
    with pytest.raises(HeldError, match=r"held by li\.na on node2"):
        world.applicant().apply(world.all_sites, yes)
    assert "push" not in world.log
    assert world.lease().exists()


def test_a_run_whose_lease_was_removed_stops_before_its_next_step(world: World) -> None:
    world.on_push = lambda: world.lease().unlink()
    with pytest.raises(ApplyError, match=r"step 2 of 5 \(one\) failed\n.*it was unlocked"):
        world.applicant().apply(world.all_sites, yes)
    assert not (world.folder / "out" / "hezhou-a").exists()


def test_a_failing_region_keeps_the_cities_from_beginning(tmp_path: Path) -> None:
    world = World(tmp_path, ("hezhou", "guangxi"))
    (tmp_path / "out" / "broken-guangxi-a").touch()
    with pytest.raises(ApplyError, match="guangxi: step 3"):
        world.applicant().apply(world.all_sites, yes)
    assert "not begun: hezhou" in world.output.getvalue()
    with opened(world.home.journal) as journal:
        assert journal.last("hezhou") is None


def test_a_failing_city_does_not_stop_its_neighbour(tmp_path: Path) -> None:
    world = World(tmp_path, ("hezhou", "yulin"))
    (tmp_path / "out" / "broken-yulin-a").touch()
    with pytest.raises(ApplyError) as caught:
        world.applicant().apply(world.all_sites, yes)
    assert "yulin: step 3" in str(caught.value)
    assert "hezhou" not in str(caught.value)
    assert load_record(world.home, "hezhou") is not None
    assert load_record(world.home, "yulin") is None
    world.log.clear()
    (tmp_path / "out" / "broken-yulin-a").unlink()
    world.applicant().apply(world.all_sites, yes)
    # Only the site that failed is healed.
    assert {line.split("-")[0] for line in world.log if line.endswith(": heal")} == {"yulin"}
