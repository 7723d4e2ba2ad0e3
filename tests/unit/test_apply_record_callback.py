"""The callback and the action are run by Ansible itself, on this machine, as two hosts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout.paths import content

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.file: {path: "{{ out }}", state: directory, mode: "0755"}
    - ansible.builtin.copy: {dest: "{{ out }}/one", content: "x", mode: "0644"}
      notify: later
    - ansible.builtin.template: {src: t.j2, dest: "{{ out }}/{{ item }}", mode: "0600"}
      loop: [t1, t2]
      when: item != 't2' or inventory_hostname == 'h-a'
    - ansible.builtin.lineinfile: {path: "{{ out }}/one", line: "y"}
    - ansible.builtin.file: {src: one, dest: "{{ out }}/link", state: link}
    - ansible.builtin.copy: {dest: "{{ out }}/{{ item }}", content: "s3cret-in-a-file", mode: "0600"}
      loop: [s1, s2]
      no_log: true
    - ansible.builtin.file: {path: "{{ out }}/old", state: absent}
    - ansible.builtin.copy: {dest: "{{ out }}/delegated", content: "x", mode: "0600"}
      delegate_to: h-b
      run_once: true
    - ansible.builtin.copy: {dest: "{{ out }}/checked", content: "x", mode: "0600"}
      check_mode: true
    - managed: {paths: ["{{ out }}/s*"], services: {x.service: true}}
    - managed: {paths: ["{{ out }}/{{ item }}"]}
      loop: [s1, s2]
  handlers:
    - name: later
      ansible.builtin.copy: {dest: "{{ out }}/from-handler", content: "x", mode: "0600"}
"""


def play(
    folder: Path, text: str, *options: str
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    hosts = {name: {"out": str(folder / name)} for name in ("h-a", "h-b")}
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": local}}))
    (folder / "t.j2").write_text("{{ inventory_hostname }}")
    (folder / "play.yml").write_text(text)
    (folder / "ansible.cfg").write_text("")
    lines = folder / "managed.jsonl"
    lines.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(content() / "plugins/callback"),
        "ANSIBLE_ACTION_PLUGINS": str(content() / "plugins/action"),
        "ANSIBLE_LIBRARY": str(content() / "plugins/modules"),
        "ANSIBLE_CALLBACKS_ENABLED": "managed",
        "ROLLOUT_MANAGED": str(lines),
    }
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", folder / "inventory.yml", *options, folder / "play.yml"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("play")
    done, lines = play(folder, PLAY)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, lines


def paths(folder: Path, lines: list[dict[str, Any]], host: str) -> list[str]:
    return [
        line["path"].removeprefix(f"{folder}/") + ("-" if line.get("removed") else "")
        for line in lines
        if line["host"] == host and "path" in line
    ]


def test_every_file_is_recorded_in_order(played: tuple[Path, list[dict[str, Any]]]) -> None:
    common = ["one", "t1", "t2", "one", "link", "old-", "s*", "s1", "s2", "from-handler"]
    assert paths(*played, "h-a") == ["h-a"] + [f"h-a/{name}" for name in common]
    common.remove("t2")  # skipped there
    delegated = [path for path in paths(*played, "h-b") if path != "h-a/delegated"]
    assert delegated == ["h-b"] + [f"h-b/{name}" for name in common]


def test_a_delegated_file_belongs_to_the_host_that_got_it(played: tuple[Path, list[dict[str, Any]]]) -> None:
    assert "h-a/delegated" in paths(*played, "h-b")


def test_checksums_are_those_of_the_files(played: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, lines = played
    found = {line["path"]: line["sha1"] for line in lines if "sha1" in line}
    assert found[f"{folder}/h-a/t1"] != found[f"{folder}/h-b/t1"]
    one = [line for line in lines if line.get("path") == f"{folder}/h-a/one"]
    assert [line["content"] for line in one] == ["written", "edited"]


def test_censored_and_checked_tasks_leave_no_trace(played: tuple[Path, list[dict[str, Any]]]) -> None:
    _, lines = played
    assert "s3cret" not in json.dumps(lines)
    assert not [line for line in lines if "checked" in line.get("path", "")]


def test_services_are_declared(played: tuple[Path, list[dict[str, Any]]]) -> None:
    assert {"host": "h-a", "unit": "x.service", "enabled": True} in played[1]


def test_check_mode_records_nothing_and_the_action_works_in_it(tmp_path: Path) -> None:
    tasks = "[{managed: {paths: [/a]}}, {file: {path: /a/b, state: absent}}]"
    text = f"- {{hosts: all, gather_facts: false, tasks: {tasks}}}"
    done, lines = play(tmp_path, text, "--check")
    assert done.returncode == 0, done.stdout
    assert lines == []


def test_the_second_run_reports_no_change(played: tuple[Path, list[dict[str, Any]]]) -> None:
    """`managed` itself never counts as a change."""
    folder, _ = played
    text = (
        "- {hosts: all, gather_facts: false, tasks: [{managed: {paths: [/a], services: {x.service: false}}}]}"
    )
    done, _ = play(folder, text)
    assert "changed=0" in done.stdout
    assert "ok=1" in done.stdout


@pytest.mark.parametrize(
    "wrong", ["paths: [relative]", "paths: /a", "services: [x]", "services: {x: on-boot}", "path: /a"]
)
def test_wrong_arguments_are_named(tmp_path: Path, wrong: str) -> None:
    done, lines = play(tmp_path, f"- {{hosts: h-a, gather_facts: false, tasks: [{{managed: {{{wrong}}}}}]}}")
    assert done.returncode != 0
    assert wrong.partition(":")[0] in done.stdout + done.stderr
    assert lines == []
