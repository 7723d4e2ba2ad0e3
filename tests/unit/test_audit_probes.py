"""What the probes read, on captured output; and the whole of them as a host's Python runs them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rollout.audit import dpkg, payload
from rollout.audit.facts import Environment, HostFacts, ProbeError, Wanted, decode
from rollout.audit.probes import (
    answers,
    collect,
    files,
    machine,
    packages,
    processes,
    program,
    text,
    units,
    venv,
)

STATUS = """Package: haproxy
Status: install ok installed
Priority: optional
Section: net
Architecture: amd64
Version: 2.6.12-1+deb12u3
Conffiles:
 /etc/haproxy/haproxy.cfg 3ed9aaa0ac1db5d7c0a2cbc3e2ea7f1c
Description: fast and reliable load balancing reverse proxy
 HAProxy is a TCP/HTTP reverse proxy
 .
 Version: 9.9 is no field, it is part of the description

Package: etcd-server
Status: install ok half-configured
Priority: optional
Architecture: amd64
Version: 3.4.23-4+b4

Package: bash
Essential: yes
Status: hold reinstreq installed
Priority: required
Architecture: amd64
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0
"""

SHOW = """Id=haproxy.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
MainPID=412
NRestarts=0
FragmentPath=/lib/systemd/system/haproxy.service
DropInPaths=/etc/systemd/system/haproxy.service.d/a.conf /etc/systemd/system/haproxy.service.d/b.conf
NeedDaemonReload=no

Id=nothing.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
MainPID=0
NRestarts=0
FragmentPath=
DropInPaths=
NeedDaemonReload=no
"""

MAPS = """55d0c0a2e000-55d0c0a52000 r--p 00000000 00:1f 1234                       /usr/sbin/haproxy (deleted)
55d0c0a52000-55d0c0cd2000 r-xp 00024000 00:1f 1234                       /usr/sbin/haproxy (deleted)
7f1f40000000-7f1f40021000 rw-p 00000000 00:00 0
7f1f4c000000-7f1f4c001000 r-xp 00000000 00:1f 99                         /usr/lib/x86_64-linux-gnu/libssl.so.3
7f1f4d000000-7f1f4d001000 r-xp 00000000 00:1f 98 /usr/lib/x86_64-linux-gnu/libz.so.1 (deleted)
7f1f4e000000-7f1f4e001000 rw-s 00000000 00:01 97                         /dev/zero (deleted)
7f1f4f000000-7f1f4f001000 rw-s 00000000 00:01 96                         /memfd:x (deleted)
7f1f50000000-7f1f50001000 rw-s 00000000 00:1f 95                         /tmp/with blank (deleted)
7ffd0a5c1000-7ffd0a5e2000 rw-p 00000000 00:00 0                          [stack]
"""


def test_the_status_file() -> None:
    found = {entry["name"]: entry for entry in dpkg.parse_status(packages.fields(STATUS))}
    assert found["haproxy"]["version"] == "2.6.12-1+deb12u3"
    assert (found["haproxy"]["state"], found["haproxy"]["essential"]) == ("installed", False)
    assert found["etcd-server"]["state"] == "half-configured"
    assert (found["bash"]["want"], found["bash"]["flag"], found["bash"]["essential"]) == (
        "hold",
        "reinstreq",
        True,
    )
    assert found["gone"]["state"] == "config-files"


def test_units() -> None:
    found = units.parse_show(SHOW)
    assert found["haproxy.service"]["MainPID"] == "412"
    assert found["haproxy.service"]["DropInPaths"].split()[1].endswith("b.conf")
    assert found["nothing.service"]["LoadState"] == "not-found"
    assert units.parse_show("") == {}


def test_only_replaced_code_counts() -> None:
    assert processes.parse_maps(MAPS) == {"/usr/sbin/haproxy", "/usr/lib/x86_64-linux-gnu/libz.so.1"}


def test_a_process_belongs_to_its_unit_whoever_its_parent_is(tmp_path: Path) -> None:
    for pid, unit, maps in [
        (10, "patroni.service", ""),
        (11, "patroni.service", MAPS),
        (12, "ssh.service", MAPS),
    ]:
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(f"0::/system.slice/{unit}\n")
        (tmp_path / str(pid) / "maps").write_text(maps)
    (tmp_path / "13").mkdir()  # it ended meanwhile
    (tmp_path / "meminfo").write_text("")
    found = processes.collect({"patroni.service", "etcd.service"}, str(tmp_path))
    assert found["patroni.service"]["pids"] == [10, 11]
    assert found["patroni.service"]["deleted"][1] == "/usr/sbin/haproxy"
    assert found["etcd.service"] == {"pids": [], "deleted": []}


def test_an_instance_of_a_template() -> None:
    group = "0::/system.slice/system-jincai.slice/jincai@1.service\n"
    assert "jincai@1.service" in processes.parse_cgroup(group)


@pytest.mark.parametrize(
    ("container", "cpuinfo", "said"),
    [
        ("systemd-nspawn\n", "", "systemd-nspawn"),
        (None, "flags\t\t: fpu vme hypervisor lahf_lm\n", "vm"),
        (None, "flags\t\t: fpu vme\n", "none"),
        (None, "", "none"),
    ],
)
def test_virtualisation(container: str | None, cpuinfo: str, said: str) -> None:
    assert machine.parse_virtualisation(container, cpuinfo) == said


def test_the_running_kernels_debian_version() -> None:
    assert machine.parse_kernel_version("#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)") == "6.1.140-1"
    assert machine.parse_kernel_version("#2 SMP Tue Jan 1 00:00:00 UTC 2026") == ""


@pytest.mark.parametrize(
    "value", ['\u91d1 "\\\n', 1, -0.5, True, None, [], {"a": [1, {"b": (2, "c")}]}, {1: {}}]
)
def test_json_is_what_json_would_write(value: Any) -> None:
    assert text.dumps(value) == json.dumps(value, separators=(",", ":"))


def test_json_has_no_word_for_some_numbers() -> None:
    assert text.dumps([float("nan"), float("inf")]) == "[null,null]"


def test_a_program_of_the_host() -> None:
    assert program.output(["sh", "-c", "echo said; echo more >&2"], 5) == "said\n"
    with pytest.raises(OSError, match="why it failed"):
        program.output(["sh", "-c", "echo why it failed >&2; exit 3"], 5)
    with pytest.raises(OSError, match="ended with -9"):
        program.output(["sh", "-c", "kill -9 $$"], 5)
    with pytest.raises(TimeoutError, match="no answer within"):
        program.output(["sleep", "5"], 0.05)
    with pytest.raises(FileNotFoundError):
        program.output(["no-such-program"], 5)


def test_haproxys_socket() -> None:
    said = "Name: HAProxy\nVersion: 2.6.12-1+deb12u3\nRelease_date: 2025/10/03\n"
    assert answers.parse_haproxy(said) == "2.6.12-1+deb12u3"
    with pytest.raises(ValueError, match="no version"):
        answers.parse_haproxy("Unknown command")


def test_metadata() -> None:
    metadata = "Metadata-Version: 2.4\nName: h11\nVersion: 0.16.0\n\nVersion: 9 is text\n"
    assert venv.parse_metadata(metadata) == ("h11", "0.16.0")
    assert venv.parse_metadata("") == ("", "")


def test_what_is_at_a_path(tmp_path: Path) -> None:
    file, link, fifo = tmp_path / "file", tmp_path / "link", tmp_path / "fifo"
    file.write_text("x")
    file.chmod(0o640)
    link.symlink_to("/nowhere")
    os.mkfifo(fifo)
    found = files.look(str(file)) or {}
    assert (found["type"], found["mode"]) == ("file", "0640")
    assert found["sha256"].startswith("2d711642b726b044")
    assert (files.look(str(link)) or {})["target"] == "/nowhere"
    assert (files.look(str(fifo)) or {})["type"] == "other"
    assert (files.look(str(tmp_path)) or {})["type"] == "directory"
    assert files.look(str(tmp_path / "none")) is None
    assert files.look(str(file / "below a file")) is None


def test_an_environment_is_seen_whole(tmp_path: Path) -> None:
    library = tmp_path / "releases/1/venv/lib/python3.11/site-packages"
    (library / "h11-0.16.0.dist-info").mkdir(parents=True)
    (library / "h11-0.16.0.dist-info/METADATA").write_text("Name: h11\nVersion: 0.16.0\n")
    (library / "odd.dist-info").mkdir()
    (library / "h11").mkdir()
    (library / "h11/a.py").write_text("x")
    (library / "outside").symlink_to("/etc")
    os.mkfifo(library / "fifo")
    (library / os.fsdecode(b"bad\xff.py")).write_text("x")
    (tmp_path / "current").symlink_to("releases/1")
    found = venv.collect(str(tmp_path / "current/venv")) or {}
    assert found["root"] == str(tmp_path / "releases/1/venv")
    assert found["dists"] == [("h11", "0.16.0", "h11-0.16.0.dist-info"), ("", "", "odd.dist-info")]
    below = {
        path.removeprefix("lib/python3.11/site-packages/"): what for path, what in found["files"].items()
    }
    assert below["outside"] == "-> /etc"
    assert below["fifo"] == "other"
    assert below["bad\\xff.py"] == below["h11/a.py"]
    assert venv.collect(str(tmp_path / "none")) is None


def test_a_probe_that_fails_is_data() -> None:
    def fails() -> None:
        raise PermissionError("no")

    assert collect.guarded(fails) == {"error": "PermissionError: no"}
    assert collect.at_once({"one": fails, "two": lambda: 2}) == {
        "one": {"error": "PermissionError: no"},
        "two": 2,
    }


def test_only_what_runs_is_asked() -> None:
    wanted = Wanted().model_dump()
    assert collect.questions(wanted, set()) == {}
    asked = collect.questions(
        wanted, {"patroni.service", "jincai@1.service", "jincai@x.service", "ssh.service"}
    )
    assert sorted(asked) == ["cluster", "jincai@1.service", "patroni", "postgresql"]


def _run(wanted: Wanted) -> HostFacts:
    command = payload.COMMAND.replace("sudo -n ", "", 1)
    done = subprocess.run(
        ["sh", "-c", command], input=payload.stdin(wanted), capture_output=True, text=True, check=True
    )
    return decode(done.stdout.strip())


def test_the_probes_run_in_a_bare_python(tmp_path: Path) -> None:
    (tmp_path / "venv/lib/python3.11/site-packages").mkdir(parents=True)
    facts = _run(Wanted(paths=["/etc/hosts", "/none"], units=["x.service"], venv=str(tmp_path / "venv")))
    assert isinstance(facts.files, dict)
    assert facts.files["/etc/hosts"] is not None
    assert facts.files["/none"] is None
    assert isinstance(facts.venv, Environment)
    assert isinstance(facts.packages, list | ProbeError)
    assert facts.seconds < 5


def test_another_python_compiles_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MAGIC_NUMBER", b"another")
    monkeypatch.setattr(payload, "program", payload.program.__wrapped__)
    assert _run(Wanted(paths=["/none"])).files == {"/none": None}


def test_the_probes_need_nothing_but_python_itself() -> None:
    done = subprocess.run(
        ["sh", "-c", payload.COMMAND.replace("sudo -n python3", "python3 -X importtime", 1)],
        input=payload.stdin(Wanted()),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stdout.splitlines() if "import time" in line}
    # A host that runs nothing to ask pays for no HTTP and TLS.
    assert not imported & {"ssl", "http.client", "asyncio", "pydantic"}
    # Nor for what takes longer to import than a bare host's probes take to run.
    assert not imported & {"typing", "pathlib", "subprocess", "re", "json", "threading", "hashlib"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "nothing"),
        ("sudo: a password is required", "sudo: a password"),
        ("rollout-facts:!!!", "damaged"),
        ("rollout-facts:eJwr", "cut short"),
    ],
)
def test_a_damaged_answer_is_refused(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode(line)


def test_an_answer_may_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    import base64
    import zlib

    monkeypatch.setattr("rollout.audit.facts._MAX_BYTES", 1000)
    bomb = base64.b64encode(zlib.compress(json.dumps(["x" * 5000]).encode())).decode()
    with pytest.raises(ValueError, match="larger"):
        decode(f"rollout-facts:{bomb}")


def test_facts_of_the_wrong_shape_are_refused() -> None:
    import base64
    import zlib

    facts: dict[str, Any] = {"packages": 1}
    line = base64.b64encode(zlib.compress(json.dumps(facts).encode())).decode()
    with pytest.raises(ValueError, match="packages"):
        decode(f"rollout-facts:{line}")
