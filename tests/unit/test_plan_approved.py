"""What was approved is what runs, or nothing does and it says why."""

from pathlib import Path

import pytest

from rollout.errors import ConfigurationError
from rollout.plan import approved
from rollout.plan.model import Plan
from tests.unit.audit_samples import sha


def plan(**more: object) -> Plan:
    site = {
        "site": "nanning",
        "state": "converge",
        "reasons": ["1 findings"],
        "systems": [],
        "hosts": [],
        "points_of_no_return": [],
        "input_sha256": sha("inputs"),
        "findings_sha256": sha("findings"),
    }
    whole = {
        "release": "2026.1",
        "serial": 3,
        "manifest_sha256": sha("manifest"),
        "inventory_sha256": sha("inventory"),
        "rollback": False,
        "rollout_version": "0.1.0",
        "made_at": "2026-11-24T09:00:00+08:00",
        "sites": [{**site, **{k: v for k, v in more.items() if k in site}}],
    }
    return Plan.model_validate({**whole, **{k: v for k, v in more.items() if k in whole}})


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    made = plan()
    approved.write(made, tmp_path / "plan.json")
    assert approved.read(tmp_path / "plan.json") == made


def test_the_time_at_which_it_was_made_does_not_count() -> None:
    assert approved.moved(plan(), plan(made_at="2026-11-25T09:00:00+08:00")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"manifest_sha256": sha("x")}, "the release is not the one that was approved"),
        ({"inventory_sha256": sha("x")}, "the inventory is not the one"),
        ({"rollout_version": "0.2.0"}, "rollout itself"),
        ({"rollback": True}, "roll back"),
        ({"input_sha256": sha("x")}, "nanning: roles, inventory entry or secrets"),
        ({"findings_sha256": sha("x")}, "nanning: its hosts are not as they were"),
        ({"site": "liuzhou"}, "liuzhou: only in one of the two"),
        ({"points_of_no_return": ["x"]}, "another one now"),
    ],
)
def test_whatever_moved_is_named(change: dict[str, object], said: str) -> None:
    assert any(said in line for line in approved.moved(plan(), plan(**change)))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "not a plan"), ("{}", "release"), ('{"format": 2}', "format"), ("[1]", "not a plan")],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        approved.read(file)
    assert said in str(refused.value)
    assert "plan.json" in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        approved.read(tmp_path / "none.json")
