"""A real child, ansible-runner and ansible-playbook, against this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout.apply import environment, orphans, processes
from rollout.apply.child import Work, message, shortened
from rollout.apply.journal import Journal
from rollout.apply.play import Outcome, Player, Stopped, last_words
from rollout.apply.scrub import Scrubber
from rollout.inventory import load
from rollout.paths import Home, content
from rollout.secrets import ensure

PLAY = """
- hosts: yulin
  gather_facts: false
  tasks:
    - name: It is told the release
      ansible.builtin.copy: {dest: "{{ out }}", content: "{{ release__name }}", mode: "0600"}
    - name: It holds secrets
      ansible.builtin.assert: {that: "secret__vrrp | length == 8"}
      no_log: true
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.ssh_key.write_text("")
    return home


def project(folder: Path, play: str) -> Path:
    """A content folder and an inventory of a site whose hosts are this machine."""
    (folder / "inventory").mkdir(parents=True)
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "10-test.yml").write_text(play)
    (folder / "ansible.cfg").write_text(
        f"[defaults]\naction_plugins = {content()}/plugins/action\nlibrary = {content()}/plugins/modules\n"
    )
    hosts = {f"yulin-{letter}": {"out": str(folder / f"out-{letter}")} for letter in "ab"}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    groups = {"all": {"vars": local, "children": {"yulin": {"hosts": hosts}}}}
    (folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump(groups))
    return folder


def work(folder: Path, arguments: list[str]) -> Work:
    return Work(
        folder=folder / "step",
        project=folder,
        playbook="playbooks/10-test.yml",
        inventory=folder / "inventory",
        limit="yulin",
        arguments=arguments,
    )


def play(
    home: Home, folder: Path, text: str, arguments: list[str], managed: Path | None = None
) -> tuple[Outcome, list[dict[str, Any]]]:
    project(folder, text)
    events: list[dict[str, Any]] = []
    with Journal(home.journal) as journal:
        run = journal.begin("apply", ["yulin"])
        player = Player(home, journal, run, "yulin", threading.Event())
        outcome = player.play(work(folder, arguments), managed, events.append)
        assert journal.open_children("yulin") == []
    return outcome, events


def test_a_play_runs_is_told_secrets_and_writes_none_of_them(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "t0ken-of-somebody")
    site = load(content() / "inventory" / "lab").sites["liuzhou"]
    secrets = ensure(home, site)
    managed = tmp_path / "managed.jsonl"
    arguments = [*secrets.arguments(), "-e", json.dumps({"release__name": "2026.1"})]
    outcome, events = play(home, tmp_path / "content", PLAY, arguments, managed)
    assert (outcome.rc, outcome.failures) == (0, {})
    counts = {"ok": 2, "changed": 1, "failed": 0, "unreachable": 0, "skipped": 0}
    assert outcome.recap == {"yulin-a": counts, "yulin-b": counts}
    assert (tmp_path / "content" / "out-a").read_text() == "2026.1"
    assert [event["name"] for event in events if event["event"] == "task"] == [
        "It is told the release",
        "It holds secrets",
    ]
    assert len(managed.read_text().splitlines()) == 2
    written = b"".join(file.read_bytes() for file in (tmp_path / "content").rglob("*") if file.is_file())
    assert b"t0ken-of-somebody" not in written
    assert not [value for value in secrets.values if value.encode() in written]
    assert not [value for value in secrets.values if value in json.dumps(events)]
    assert outcome.log.is_file()


def test_a_failed_task_is_named_with_host_and_message(home: Home, tmp_path: Path) -> None:
    text = """
- hosts: yulin
  gather_facts: false
  tasks:
    - block:
        - {name: Rescued, ansible.builtin.fail: {msg: not this one}}
      rescue:
        - {name: Help, ansible.builtin.assert: {that: true}}
    - name: There is room
      ansible.builtin.fail: {msg: "{{ item }} is full"}
      loop: [/var, /srv]
      when: inventory_hostname == 'yulin-b' and item == '/srv'
"""
    outcome, _ = play(home, tmp_path / "content", text, [])
    assert outcome.rc == 2
    (failure,) = outcome.failures.values()
    assert (failure.host, failure.task) == ("yulin-b", "There is room")
    assert "/srv is full" in failure.message


def test_what_a_censored_task_says_is_hidden(home: Home, tmp_path: Path) -> None:
    text = """
- hosts: yulin
  gather_facts: false
  tasks:
    - {name: Secret, ansible.builtin.fail: {msg: s3cret-message}, no_log: true}
"""
    outcome, events = play(home, tmp_path / "content", text, [])
    assert outcome.rc == 2
    assert {failure.message for failure in outcome.failures.values()} == {
        "hidden, because the task handles secrets"
    }
    assert "s3cret" not in json.dumps(events)
    # Ansible itself writes the message of a failed task into its log, censored or not.
    Scrubber(["s3cret-message"]).folder(tmp_path / "content" / "step")
    assert "[secret]" in outcome.log.read_text()
    assert "s3cret" not in outcome.log.read_text()


def test_a_play_that_cannot_begin_says_why(home: Home, tmp_path: Path) -> None:
    outcome, _ = play(home, tmp_path / "content", "- hosts: yulin\n  tasks: [{no_such_module: {}}]\n", [])
    assert outcome.rc != 0
    assert "no_such_module" in last_words(tmp_path / "content" / "step")


def test_a_wish_to_stop_ends_the_child_and_all_that_it_started(home: Home, tmp_path: Path) -> None:
    marker = tmp_path / "began"
    text = f"""
- hosts: yulin
  gather_facts: false
  tasks:
    - ansible.builtin.shell: "touch {marker}; exec sleep 301"
"""
    folder = project(tmp_path / "content", text)
    stop = threading.Event()

    def wait_and_stop() -> None:
        until = time.monotonic() + 60
        while not marker.exists() and time.monotonic() < until:
            time.sleep(0.05)
        stop.set()

    threading.Thread(target=wait_and_stop).start()
    with Journal(home.journal) as journal:
        run = journal.begin("apply", ["yulin"])
        with pytest.raises(Stopped):
            Player(home, journal, run, "yulin", stop).play(work(folder, []), None, lambda _: None)
        assert marker.exists()
        assert journal.open_children("yulin") == []
        assert not [r for r in processes.marked(orphans.RUN).values() if r == run]


PARENT = """
import sys, threading
from pathlib import Path
from rollout.apply.child import Work
from rollout.apply.journal import Journal
from rollout.apply.play import Player
from rollout.paths import Home
home, work = Home(Path(sys.argv[1])), Work.model_validate_json(sys.argv[2])
with Journal(home.journal) as journal:
    run = journal.begin("apply", ["yulin"])
    Player(home, journal, run, "yulin", threading.Event()).play(work, None, lambda _: None)
"""


def test_the_parent_is_killed_and_the_next_run_ends_what_goes_on(home: Home, tmp_path: Path) -> None:
    marker = tmp_path / "began"
    text = f"""
- hosts: yulin-a
  gather_facts: false
  tasks:
    - ansible.builtin.shell: "touch {marker}; exec sleep 302"
"""
    folder = project(tmp_path / "content", text)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, home.root, work(folder, []).model_dump_json()],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < until:
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with Journal(home.journal) as journal:
        found = orphans.find(journal, "yulin")
        commands = " ".join(processes.command_of(process) for process in found)
        assert "rollout.apply.child" in commands
        assert "sleep 302" in commands
        lines: list[str] = []
        (killed,) = orphans.clear(journal, "yulin", lines.append, wait=0)
        assert killed.process.pid == parent.pid
        assert orphans.find(journal, "yulin") == {}
        assert not [process for process in found if process.alive()]
        assert journal.running("yulin") == journal.unfinished("yulin") == []


def test_the_child_checks_host_keys_and_sees_only_what_it_needs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "x")
    found = environment.of_child(home, "20260301T000000-abcdef", "yulin", None)
    assert found["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert "StrictHostKeyChecking=yes" in found["ANSIBLE_SSH_COMMON_ARGS"]
    assert f"UserKnownHostsFile={home.known_hosts}" in found["ANSIBLE_SSH_COMMON_ARGS"]
    assert "SOMEBODYS_TOKEN" not in found
    socket = f"{found['ANSIBLE_SSH_CONTROL_PATH_DIR']}/{'x' * 10}.{'y' * 17}"
    assert len(socket) < 100
    assert os.environ["SOMEBODYS_TOKEN"] == "x"


def test_events_are_shortened() -> None:
    assert shortened({"event": "verbose", "event_data": {}}) is None
    data = {"host": "a", "task": "Write", "role": "etcd", "res": {"changed": True, "secret": "x"}}
    line = {"event": "ok", "host": "a", "task": "etcd : Write", "changed": True}
    assert shortened({"event": "runner_on_ok", "event_data": data}) == line
    assert message({"msg": "no", "stderr": "no", "stdout": "out"}) == "no\nout"
    assert message({}) == "no message"
    assert message({"_ansible_no_log": True, "msg": "x"}) == "hidden, because the task handles secrets"


def test_a_key_of_several_lines_is_known_by_each() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByq\nGSM49AgEGCCqGSM\n-----END PRIVATE KEY-----\n"
    scrubber = Scrubber([key, "pässwort", "ab"])
    assert scrubber.text("x MIGHAgEAMBMGByq\\n ab pässwort") == "x [secret]\\n ab [secret]"
    assert scrubber.text("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
