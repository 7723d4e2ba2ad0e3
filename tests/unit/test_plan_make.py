"""From an audit to a plan: states, steps, refusals, points of no return."""

from pathlib import Path
from typing import Any

import pytest

from rollout.apply.journal import opened
from rollout.audit import audit as audits
from rollout.audit.audit import Seen, host_report
from rollout.audit.facts import HostFacts, Unreachable
from rollout.audit.findings import AuditReport
from rollout.audit.waivers import Waivers
from rollout.inventory import Inventory, Letter, Site
from rollout.paths import Home
from rollout.plan import make as makes
from rollout.plan.make import Made, make
from rollout.plan.model import Plan
from rollout.plan.refusals import RefusedError
from rollout.record import SiteRecord
from tests.unit import audit_samples as sample
from tests.unit.test_audit_waivers import DAY, inventory

Said = dict[str, Any]
LETTERS: tuple[Letter, ...] = ("a", "b", "s")


class Reality:
    """A site as its hosts describe themselves; tests change it, then plan."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.inventory = inventory(folder)
        self.site: Site = self.inventory.sites["nanning"]
        self.said: dict[str, Said | Unreachable] = {f"nanning-{x}": sample.raw(x) for x in LETTERS}
        self.inputs = sample.sha("inputs")
        self.record: SiteRecord | None = SiteRecord.model_validate(
            {
                "site": "nanning",
                "release": "2026.1",
                "serial": 3,
                "manifest_sha256": sample.BUILD.sha256,
                "input_sha256": self.inputs,
                "rollout_version": "0.1.0",
                "applied_at": "2026-11-23T10:00:00+08:00",
                "run": "r1",
                "hosts": {
                    "nanning-a": sample.RECORD_A,
                    "nanning-b": sample.RECORD_A,
                    "nanning-s": sample.RECORD_S,
                },
            }
        )

    def host(self, letter: Letter) -> Said:
        said = self.said[f"nanning-{letter}"]
        assert isinstance(said, dict)
        return said

    def bare(self) -> None:
        """As delivered: Debian's base, nothing of ours, no record."""
        self.record = None
        for letter in LETTERS:
            said = self.host(letter)
            said |= {"packages": [sample.package(sample.DEBS[0])], "files": {}, "venv": None, "units": {}}
            said |= {"processes": {}, "answers": {}}
            said["machine"] |= {"accepted": None, "data": []}

    def seen(self) -> Seen:
        expected = {f"nanning-{x}": sample.expectation(x, "its" if self.record else None) for x in LETTERS}
        facts = {
            name: said if isinstance(said, Unreachable) else HostFacts.model_validate(said)
            for name, said in self.said.items()
        }
        hosts = [host_report(expected[name], facts[name], Waivers([], DAY)) for name in facts]
        report: AuditReport = audits._report(self.inventory, sample.BUILD, hosts, [])
        return Seen(report, {"nanning": self.record}, expected, facts)

    def plan(self, monkeypatch: pytest.MonkeyPatch, *, rollback: bool = False) -> Plan:
        monkeypatch.setattr(makes, "look", lambda *_, **__: self.seen())
        monkeypatch.setattr(makes, "input_sha256", lambda *_, **__: self.inputs)
        made: Made = make(self.home, self.inventory, [self.site], sample.BUILD, rollback=rollback)
        return made.plan


@pytest.fixture
def reality(tmp_path: Path) -> Reality:
    return Reality(tmp_path)


def test_uniform_and_unchanged_is_nothing(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = reality.plan(monkeypatch)
    (site,) = plan.sites
    assert site.state == "nothing"
    assert not plan.changing
    assert {step.move for step in site.systems} == {"nothing"}
    assert not any(host.changes for host in site.hosts)


def test_changed_inputs_converge_though_all_is_uniform(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    reality.inputs = sample.sha("other roles")
    (site,) = reality.plan(monkeypatch).sites
    assert site.state == "converge"
    assert site.reasons == ["roles, inventory or secrets changed since the last apply"]


def test_another_build_converges(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reality.record
    reality.record = reality.record.model_copy(update={"serial": 2, "manifest_sha256": sample.sha("2")})
    (site,) = reality.plan(monkeypatch).sites
    assert site.state == "converge"
    assert site.reasons[0] == "2026.1-2 becomes 2026.1-3"


def test_a_bare_site_is_new(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    reality.bare()
    plan = reality.plan(monkeypatch)
    (site,) = plan.sites
    assert site.state == "new"
    a = site.hosts[0]
    assert "haproxy=2.6.12-1+deb12u3" in a.install
    assert a.rebuild
    assert {(step.host[-1], step.system, step.move) for step in site.systems} == {
        (letter, system, "install") for letter in "abs" for system in ("jincai", "budget")
    }


def test_what_is_on_a_bare_host_beyond_the_release_is_removed_by_name(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    reality.bare()
    extra = sample.package(sample.deb("telnet", "0.17"))
    kernel = sample.package(sample.deb("linux-image-6.1.0-1-amd64", "6.1"))
    reality.host("a")["packages"] += [extra, kernel, {**extra, "name": "login", "essential": True}]
    (site,) = reality.plan(monkeypatch).sites
    assert site.hosts[0].remove == ["telnet"]
    assert [line.partition(":")[0] for line in site.hosts[0].by_hand] == [
        "linux-image-6.1.0-1-amd64",
        "login",
    ]


def test_a_first_apply_that_did_not_end_goes_on(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    reality.bare()
    reality.host("a")["machine"]["data"] = ["/var/lib/postgresql/15/main"]
    with opened(reality.home.journal) as journal:
        run = journal.begin("apply", ["nanning"], "2026.1", 3, sample.BUILD.sha256)
        journal.begin_step(run, "nanning", 1, 7, "Storage device")
    (site,) = reality.plan(monkeypatch).sites
    assert site.state == "converge"


def test_data_that_nobody_knows_are_refused(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    reality.bare()
    reality.host("b")["machine"]["data"] = ["/var/lib/postgresql/15/main", "/var/lib/etcd"]
    with pytest.raises(RefusedError) as refused:
        reality.plan(monkeypatch)
    assert "nanning-b: /var/lib/postgresql/15/main holds data" in str(refused.value)
    assert "nanning-b: /var/lib/etcd" in str(refused.value)
    assert "rollout state import" in str(refused.value)


def test_a_host_that_does_not_answer_blocks_its_site(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    reality.said["nanning-b"] = Unreachable(reason="Could not connect (timed out)")
    plan = reality.plan(monkeypatch)
    assert plan.blocked == ["nanning"]
    assert plan.sites[0].reasons == ["nanning-b: no SSH server answers at its address"]
    assert [host.host for host in plan.sites[0].hosts] == ["nanning-a", "nanning-s"]


def test_each_finding_becomes_what_apply_does(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    said = reality.host("a")
    haproxy, patroni = said["packages"][3], said["packages"][4]
    haproxy["version"], patroni["version"] = "2.6.12-1+deb12u1", "9.0-1"
    said["packages"][2]["state"] = "half-configured"
    said["packages"].append(sample.package(sample.deb("telnet", "0.17")))
    said["files"]["/etc/haproxy/haproxy.cfg"]["mode"] = "0666"
    said["units"]["haproxy.service"]["ActiveState"] = "failed"
    said["answers"]["jincai@1.service"]["systems"][0]["code_sha256"] = sample.sha("x")
    said["venv"]["files"][f"{sample.SITE_PACKAGES}/h11/__init__.py"] = sample.sha("x")
    said["processes"]["etcd.service"]["deleted"] = ["/usr/bin/etcd"]
    plan = reality.plan(monkeypatch).sites[0].hosts[0]
    assert plan.install == ["etcd-server=3.4.23-4+b4", "haproxy=2.6.12-1+deb12u3", "patroni=3.0.2-1"]
    assert plan.heal
    assert plan.remove == ["telnet"]
    assert plan.rewrite == ["/etc/haproxy/haproxy.cfg"]
    assert plan.start == ["haproxy.service"]
    assert plan.rebuild
    assert plan.restart == ["etcd.service", "jincai@1.service"]
    assert plan.by_hand == []


def _dist(reality: Reality, name: str, version: str, *, gone: str = "") -> None:
    venv = reality.host("a")["venv"]
    venv["dists"] = [d for d in venv["dists"] if d[0] not in {name, gone}]
    venv["dists"].append([name, version, f"{name.replace('-', '_')}-{version}.dist-info"])


# Name and version of a dist that is there, the one that went, and the step that follows from it.
STEPS = [
    ("jincai-budget", "0.9.0", "", ("upgrade", "jincai-budget 0.9.0", "jincai-budget 1.0.0")),
    (
        "jincai-budget-gx",
        "2.0.0",
        "jincai-budget",
        ("replace", "jincai-budget-gx 2.0.0", "jincai-budget 1.0.0"),
    ),
    ("jincai-lottery", "1.0.0", "", ("remove", "jincai-lottery 1.0.0", "")),
]


@pytest.mark.parametrize("case", STEPS, ids=[case[3][0] for case in STEPS])
def test_systems(
    reality: Reality, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str, tuple[str, str, str]]
) -> None:
    name, version, gone, step = case
    _dist(reality, name, version, gone=gone)
    steps = [one for one in reality.plan(monkeypatch).sites[0].systems if one.move != "nothing"]
    assert [(one.host, (one.move, one.found, one.wanted)) for one in steps] == [("nanning-a", step)]
    assert steps[0].why


def test_our_systems_go_down_only_by_rollback(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    _dist(reality, "jincai-budget", "1.1.0")
    with pytest.raises(RefusedError) as refused:
        reality.plan(monkeypatch)
    assert "nanning-a: jincai-budget 1.1.0 would go down to jincai-budget 1.0.0" in str(refused.value)
    assert "rollout rollback" in str(refused.value)
    steps = reality.plan(monkeypatch, rollback=True).sites[0].systems
    assert "downgrade" in {step.move for step in steps}


def test_an_older_serial_is_refused_unless_rolling_back(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    reality.host("s")["machine"]["accepted"] = {"serial": 7}
    with pytest.raises(RefusedError, match="nanning-s: has accepted serial 7"):
        reality.plan(monkeypatch)
    assert reality.plan(monkeypatch, rollback=True).rollback


def test_a_migration_that_takes_something_away_is_declared(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    (point,) = reality.plan(monkeypatch).sites[0].points_of_no_return
    assert "jincai-budget 1.0.0" in point
    assert "0002_contract_old" in point
    for letter in ("a", "b"):
        said = reality.host(letter)["answers"]["jincai@1.service"]
        said["contracted"] = {"budget": "0002_contract_old"}
    assert reality.plan(monkeypatch).sites[0].points_of_no_return == []


def test_there_is_no_way_back_past_what_was_taken_away(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    for letter in ("a", "b"):
        said = reality.host(letter)["answers"]["jincai@1.service"]
        said["contracted"] = {"budget": "0003_contract_older"}
    with pytest.raises(RefusedError) as refused:
        reality.plan(monkeypatch, rollback=True)
    assert str(refused.value).count("migration 0003_contract_older has removed what it needs") == 1
    assert "backup" in str(refused.value)


def test_a_new_site_has_nothing_to_lose(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    reality.bare()
    assert reality.plan(monkeypatch).sites[0].points_of_no_return == []


def test_the_digest_is_over_everything_but_the_time(
    reality: Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = reality.plan(monkeypatch), reality.plan(monkeypatch)
    assert (
        one.digest == two.model_copy(update={"made_at": reality.record and reality.record.applied_at}).digest
    )
    reality.host("a")["files"]["/etc/haproxy/haproxy.cfg"]["mode"] = "0666"
    assert reality.plan(monkeypatch).digest != one.digest


def test_an_inventory_is_named(reality: Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(reality.inventory, Inventory)
    assert reality.plan(monkeypatch).inventory_sha256 == reality.inventory.sha256
