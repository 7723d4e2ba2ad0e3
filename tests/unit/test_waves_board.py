"""The board of a run at any of its moments, on a terminal, as JSON and as a page."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError

import pytest
from rich.console import Console

from rollout.apply.journal import Journal, opened
from rollout.errors import ConfigurationError
from rollout.waves import board_page, board_text
from rollout.waves.board import Board, board, newest, span
from rollout.waves.gates import Verdict
from rollout.waves.log import WaveLog
from rollout.waves.plan import Wave
from tests.unit.test_apply_support import World

NAMES = ("guangxi", "guilin", "liuzhou", "nanning")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(tmp_path / "journal.db") as found:
        yield found


def a_run(journal: Journal, tmp_path: Path) -> str:
    """The pilot is done, the canary is watched with a gate shut, the others wait."""
    sites = {site.name: site for site in World(tmp_path, NAMES).all_sites}
    run = journal.begin("apply", list(NAMES), "2026.2", 4, "a" * 64)
    log = WaveLog(journal)
    groups = [("pilot", ["guangxi"]), ("canary", ["nanning"]), ("wave 1", ["guilin", "liuzhou"])]
    log.plan(run, [Wave(n, name, tuple(sites[s] for s in g), 60) for n, (name, g) in enumerate(groups, 1)])
    for number, site in enumerate(("guangxi", "nanning"), 1):
        log.begin(run, number)
        for step in (1, 2):
            journal.begin_step(run, site, step, 2, ("push depot", "record")[step - 1])
            journal.end_step(run, site, step, "done")
        log.watch(run, number)
        shut = Verdict(gate="health", open=site == "guangxi", figure="migrations due")
        log.gates(run, number, site, [shut, Verdict(gate="disk", open=True, figure="50 % free")])
        if site == "guangxi":
            log.end(run, number, "done")
    return run


def states(found: Board) -> dict[str, str]:
    return {site.site: site.state for wave in found.waves for site in wave.sites}


def test_what_goes_on_now(journal: Journal, tmp_path: Path) -> None:
    run = a_run(journal, tmp_path)
    found = board(journal, newest(journal))
    assert found.run == run
    assert states(found) == {
        "guangxi": "done",
        "nanning": "watched",
        "guilin": "waiting",
        "liuzhou": "waiting",
    }
    assert found.counts == (1, 4)
    assert not found.over
    assert 0 < found.waves[1].left <= 60
    (nanning,) = found.waves[1].sites
    assert [(gate.gate, gate.open) for gate in nanning.gates] == [("disk", True), ("health", False)]
    WaveLog(journal).end(run, 2, "back", "nanning: gate health: migrations due")
    journal.end(run, "failed", "a gate shut")
    over = board(journal, run)
    assert (over.state, over.over, states(over)["nanning"]) == ("failed", True, "back")


def test_any_moment_of_a_run_long_past(journal: Journal, tmp_path: Path) -> None:
    run = a_run(journal, tmp_path)
    journal.end(run, "failed")
    begun, ended = span(journal, run)
    early = board(journal, run, begun - timedelta(microseconds=1))
    assert set(states(early).values()) == {"waiting"}
    assert board(journal, run, begun).state == "running"
    assert board(journal, run, ended).state == "failed"


def test_a_run_that_was_killed_is_not_running(journal: Journal, tmp_path: Path) -> None:
    run = a_run(journal, tmp_path)
    journal.begin_step(run, "guilin", 1, 2, "push depot")
    journal.write("UPDATE run SET pid_start = 'another boot:1'")
    found = board(journal, run)
    assert found.state == "killed"
    assert states(found)["guilin"] == "killed"
    assert span(journal, run)[1] < datetime.now().astimezone()


def test_on_a_terminal(journal: Journal, tmp_path: Path) -> None:
    output = StringIO()
    Console(file=output, width=150).print(board_text.render(board(journal, a_run(journal, tmp_path))))
    text = output.getvalue()
    assert "apply 2026.2-4" in text
    assert "1 of 4 sites" in text
    assert "gates shut: health" in text


def test_as_a_page_served_to_this_machine_only(journal: Journal, tmp_path: Path) -> None:
    run = a_run(journal, tmp_path)
    page = board_page.render(board(journal, run), {"nanning": "南宁市 <1>"})
    assert "南宁市 &lt;1&gt;" in page
    assert "✗ health: migrations due" in page
    assert "http-equiv" not in page
    for wrong in ("0.0.0.0:0", "127.0.0.1", "example.com:80"):
        with pytest.raises(ConfigurationError, match="not an address of this machine"):
            board_page.server(wrong, lambda: board(journal, run), {})
    with board_page.server("127.0.0.1:0", lambda: board(journal, run), {}) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with urllib.request.urlopen(f"{address}/board.json", timeout=5) as answer:
            assert json.load(answer)["run"] == run
        with urllib.request.urlopen(address, timeout=5) as answer:
            assert b'http-equiv="refresh"' in answer.read()
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/../journal.db", timeout=5)
        server.shutdown()


def test_no_run_yet(journal: Journal) -> None:
    with pytest.raises(ConfigurationError, match="no run is in the journal"):
        newest(journal)
    with pytest.raises(ConfigurationError, match="no such run"):
        board(journal, "r1")
