"""The fan-out: everybody is tried, nobody's failure stops another, and the journal knows each."""

import threading
from pathlib import Path

import pytest

from rollout.apply.journal import Journal, opened
from rollout.errors import ApplyError, ConfigurationError, Exit, UnreachableError
from rollout.glass import freeze
from rollout.glass.fan import exit_of, fan_out, on_either
from rollout.inventory import Host, Site, load
from tests.lab.city import write_inventory


@pytest.fixture
def sites(tmp_path: Path) -> list[Site]:
    folder = write_inventory(
        tmp_path / "inventory", "one", "198.19.200", two="198.19.201", three="198.19.202"
    )
    return list(load(folder).sites.values())


@pytest.fixture
def journal(tmp_path: Path):
    with opened(tmp_path / "journal.db") as journal:
        yield journal


def test_all_at_once_and_each_has_its_own_end(sites: list[Site], journal: Journal) -> None:
    together = threading.Barrier(3, timeout=20)

    def work(site: Site) -> tuple[bool, str]:
        together.wait()
        if site.name == "one":
            raise UnreachableError("one-a: no route; one-b: no route")
        if site.name == "two":
            raise ApplyError("two-a: no primary")
        return False, "frozen"

    outcomes = fan_out(journal, "glass freeze", sites, work, "drill")
    assert [(one.site, one.state) for one in outcomes] == [
        ("one", "unreachable"),
        ("two", "failed"),
        ("three", "done"),
    ]
    assert exit_of(outcomes) is Exit.UNREACHABLE
    assert exit_of(outcomes[1:]) is Exit.FAILED
    assert exit_of(outcomes[2:]) is Exit.OK
    (run,) = journal.runs()
    assert (run.verb, run.outcome, run.sites) == ("glass freeze", "failed", ["one", "two", "three"])
    assert {step.site: step.outcome for step in journal.steps(run.id)} == {
        "one": "failed",
        "two": "failed",
        "three": "done",
    }
    assert journal.steps(run.id, "three")[0].detail == "frozen (drill)"


def test_both_minicomputers_are_tried(sites: list[Site]) -> None:
    asked: list[str] = []

    def only_b(host: Host) -> str:
        asked.append(host.name)
        if host.letter == "a":
            raise UnreachableError("one-a: down")
        return "yes"

    host, said = on_either(sites[0], only_b)
    assert (host.name, said, asked) == ("one-b", "yes", ["one-a", "one-b"])


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ((UnreachableError("a"), UnreachableError("b")), UnreachableError),
        ((ApplyError("a"), UnreachableError("b")), ApplyError),
        ((UnreachableError("a"), ApplyError("b")), ApplyError),
    ],
)
def test_a_site_that_answers_and_fails_is_not_unreachable(sites: list[Site], errors, kind) -> None:
    left = list(errors)

    def ask(_: Host) -> None:
        raise left.pop(0)

    with pytest.raises(kind, match="a; b"):
        on_either(sites[0], ask)


@pytest.mark.parametrize("reason", ["", " x ", "a" * 201, "bell\a"])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(ConfigurationError, match="--reason"):
        freeze.checked(reason)
    assert freeze.checked("  核查\n异常 ") == "核查 异常"


def test_an_apply_does_not_wait_for_it_nor_takes_it_for_one(sites: list[Site], journal: Journal) -> None:
    seen: list[bool] = []

    def work(site: Site) -> tuple[bool, str]:
        seen.append(bool(journal.running(site.name)))
        return False, "frozen"

    fan_out(journal, "glass freeze", sites[:1], work)
    assert seen == [False]
    assert journal.last(sites[0].name) is None
    run = journal.begin("apply", [sites[0].name])
    assert [one.id for one in journal.running(sites[0].name)] == [run]
