"""The site's own list of runs: two lines for each, bounded, readable whatever a power cut left."""

import json
from pathlib import Path

import pytest

from rollout.apply import history
from rollout.apply.hostside import history as hostside
from rollout.apply.journal import Journal
from rollout.apply.lease import LeaseKeeper
from rollout.errors import ApplyError
from rollout.paths import Home
from tests.unit.test_apply_support import Here


@pytest.fixture
def storage(tmp_path: Path) -> Here:
    return Here(tmp_path / "s")


def test_what_holds_the_lease_is_listed_with_its_end(tmp_path: Path, storage: Here) -> None:
    home = Home(tmp_path / "home")
    keeper = LeaseKeeper(home, "hezhou", storage)
    with Journal(home.journal) as journal:
        good, bad = (journal.begin("apply", ["hezhou"], "2026.1", 3) for _ in range(2))
    with keeper.held(good):
        (begun,) = history.read(storage)
        assert (begun.event, begun.run, begun.release, begun.serial) == ("begin", good, "2026.1", 3)
    with pytest.raises(ApplyError), keeper.held(bad):
        raise ApplyError("step 3 failed")
    found = history.read(storage)
    assert [(one.event, one.run, one.outcome) for one in found] == [
        ("begin", good, None),
        ("end", good, "done"),
        ("begin", bad, None),
        ("end", bad, "failed"),
    ]
    assert found[-1].error == "step 3 failed"
    assert {one.node for one in found} == {keeper.node}


def test_it_is_bounded_and_a_half_line_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostside, "LINES_MOST", 8)

    def add(*numbers: int) -> list[int]:
        question = {"folder": str(tmp_path), "add": [{"n": n} for n in numbers], "newest": 100}
        return [json.loads(line)["n"] for line in hostside.answer(question)["lines"]]

    for n in range(8):
        add(n)
    assert add(8) == [2, 3, 4, 5, 6, 7, 8]
    file = tmp_path / "history.jsonl"
    file.write_text(file.read_text() + '{"n": 9')
    assert add() == [2, 3, 4, 5, 6, 7, 8]
    assert hostside.answer({"folder": str(tmp_path), "add": [{"n": 10}], "newest": 1}) == {
        "lines": ['{"n": 10}']
    }
    assert hostside.answer({"folder": str(tmp_path), "add": [{"x": "y" * 5000}], "newest": 1})["lines"] == [
        '{"n": 10}'
    ]
