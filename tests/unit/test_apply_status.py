import json
from pathlib import Path

import pytest

from rollout.apply import status, unlock
from rollout.apply.journal import Journal, opened
from rollout.apply.lease import LeaseKeeper
from rollout.depot.ssh import SshHost
from rollout.errors import ConfigurationError, HeldError, UnreachableError
from rollout.inventory import Host
from rollout.paths import Home
from tests.unit.test_apply_support import Here, World, yes


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(status, "SshHost", world.host)
    return world


def row(world: World) -> status.SiteStatus:
    (found,) = status.look(world.home, world.all_sites).sites
    return found


def test_a_site_that_was_never_touched(world: World) -> None:
    found = row(world)
    assert (found.release, found.apply, found.outcome, found.audit, found.held_by) == (None,) * 5


def test_after_an_apply_its_release_outcome_and_audit(world: World) -> None:
    world.applicant().apply(world.all_sites, yes)
    found = row(world)
    assert (found.release, found.serial, found.outcome, found.step) == ("2026.1-3", 3, "done", None)
    assert found.audit is not None
    assert found.audit.uniform
    assert (world.home.reports / f"{found.audit.file}.asc").is_file()
    assert json.loads(status.look(world.home, world.all_sites).model_dump_json())["unfinished"] == []


def test_a_killed_run_shows_where_it_stopped_and_who_holds_the_site(world: World) -> None:
    with opened(world.home.journal) as journal:
        run = journal.begin("apply", ["hezhou"])
        journal.begin_step(run, "hezhou", 1, 5, "push depot")
        journal.end_step(run, "hezhou", 1, "done")
        journal.begin_step(run, "hezhou", 2, 5, "one")
        found = row(world)
        assert (found.outcome, found.step) == ("running", "2/5 one")
        journal.write("UPDATE run SET pid_start = 'another boot:1'")
    storage = world.host(world.all_sites[0].storage, world.home)
    LeaseKeeper(world.home, "hezhou", storage).take(run)
    state = status.look(world.home, world.all_sites)
    assert (state.sites[0].outcome, state.sites[0].step) == ("killed", "2/5 one")
    assert [one.id for one in state.unfinished] == [run]
    assert state.sites[0].held_by is not None
    assert run in state.sites[0].held_by


def test_a_storage_device_that_does_not_answer_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_host: Host, _home: Home) -> SshHost:
        raise UnreachableError("no answer")

    monkeypatch.setattr(status, "SshHost", gone)
    assert row(world).held_by == "unreachable"


def test_unlock_removes_the_lease_says_whose_it_was_and_journals_why(world: World) -> None:
    site = world.all_sites[0]
    storage: Here = world.host(site.storage, world.home)
    other = Home(world.folder / "another control node")
    LeaseKeeper(other, "hezhou", storage).take("run-9")
    with pytest.raises(ConfigurationError, match="--reason"):
        unlock.unlock(world.home, site, "  ", storage)
    said = unlock.unlock(world.home, site, "node2 burnt down", storage)
    assert "run-9" in said
    assert not world.lease().exists()
    with opened(world.home.journal) as journal:
        (run,) = journal.runs()
        assert (run.verb, run.outcome) == ("unlock", "done")
        assert run.error is not None
        assert run.error.startswith("node2 burnt down (it was held by ")
        assert journal.last("hezhou") is None
    assert unlock.unlock(world.home, site, "again", storage) == "hezhou: not locked"


def test_a_run_of_this_very_control_node_is_not_unlocked(world: World) -> None:
    site = world.all_sites[0]
    storage = world.host(site.storage, world.home)
    with Journal(world.home.journal) as journal:
        run = journal.begin("apply", ["hezhou"])
        journal.write("UPDATE run SET pid = 1, pid_start = ? WHERE id = ?", _start_of_init(), run)
        with pytest.raises(HeldError, match="is running apply there"):
            unlock.unlock(world.home, site, "impatient", storage)


def _start_of_init() -> str:
    from rollout.apply.processes import start_of

    start = start_of(1)
    assert start is not None
    return start
