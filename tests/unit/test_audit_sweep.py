"""The sweep's own behaviour where no host answers; the lab tests have the hosts."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollout.audit import reasons, swarm_process, sweep
from rollout.audit.facts import Unreachable, Wanted
from rollout.inventory import Host
from rollout.paths import Home


def host(number: int) -> Host:
    data = {"name": f"x{number}-a", "letter": "a", "address": f"127.0.0.{number}", "model": "lab-mini"}
    return Host.model_validate(data)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(found.ssh_key)]
    subprocess.run(command, check=True)
    found.known_hosts.touch()
    return found


def test_no_hosts_cost_nothing(home: Home) -> None:
    assert sweep.sweep(home, []) == {}


def test_hosts_that_do_not_answer_are_unreachable_and_stop_nobody(home: Home) -> None:
    # 127.0.0.2 and 3: nobody listens on port 22 there, unless this machine has an ssh server of its own.
    facts = sweep.sweep(home, [(host(number), Wanted()) for number in (2, 3)])
    assert sorted(facts) == ["x2-a", "x3-a"]
    for found in facts.values():
        assert isinstance(found, Unreachable)
        assert reasons.plain(found.reason)[0] != ""


def test_a_missing_key_is_a_reason(tmp_path: Path) -> None:
    facts = sweep.sweep(Home(tmp_path), [(host(2), Wanted())])
    found = facts["x2-a"]
    assert isinstance(found, Unreachable)
    assert "ssh_ed25519" in found.reason


def test_a_sweep_ends_when_its_time_is_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = '{"host": "x2-a", "facts": "odd", "at": 1}'
    sleep = f"import json,sys,time; json.load(sys.stdin); print('{answer}', flush=True)"
    program = f"{sleep}; print('{{', end=''); time.sleep(60)"
    monkeypatch.setattr(swarm_process, "COMMAND", [sys.executable, "-c", program])
    begun = time.monotonic()
    facts = sweep.sweep(home, [(host(2), Wanted()), (host(3), Wanted())], total_seconds=1)
    assert time.monotonic() - begun < 5
    assert facts["x2-a"] == Unreachable(reason="unexpected answer: odd")
    assert facts["x3-a"] == Unreachable(reason="no answer within 1 s")


def test_a_sweep_that_breaks_says_why(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_process, "COMMAND", [sys.executable, "-c", "raise SystemExit('no such thing')"])
    facts = sweep.sweep(home, [(host(2), Wanted())])
    assert facts["x2-a"] == Unreachable(reason="the sweep itself failed: no such thing")


def test_gevent_stays_out_of_the_tool() -> None:
    code = "import sys, rollout.audit.command, rollout.plan.command; sys.exit('gevent' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd()).returncode == 0


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("SSH error (StrictPolicy: No host key for 198.18.1.11 found in known_hosts)", "not known"),
        ("SSH host key error (Host key for 198.18.1.11 does not match.)", "another SSH host key"),
        ("Authentication error (username=rollout)", "does not accept"),
        ("Could not connect (timed out)", "no SSH server answers"),
        ("unexpected answer: sudo: a password is required", "become root"),
        ("unexpected answer: sh: 1: python3: not found", "no python3"),
        ("unexpected answer: Traceback", "unexpected answer: Traceback"),
        ("no answer within 60 s", "no answer within 60 s"),
    ],
)
def test_reasons_in_plain_words(reason: str, said: str) -> None:
    meaning, action = reasons.plain(reason)
    assert said in meaning
    assert action
