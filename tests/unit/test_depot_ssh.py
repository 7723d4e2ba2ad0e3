"""The ssh command line, and what its endings mean. The stand-in for ssh runs its command on this machine."""

import os
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rollout.depot.ssh import SshHost
from rollout.errors import ApplyError, UnreachableError
from rollout.inventory import Host
from rollout.paths import Home

SSH = """#!/bin/sh
printf '%s\\n' "$@" >"$SSH_SEEN"
if [ -n "$SSH_FAILS" ]; then printf '%s\\n' "$SSH_FAILS" >&2; exit 255; fi
for last; do :; done
PATH="$SSH_PATH:$PATH" exec sh -c "$last"
"""
SUDO = """#!/bin/sh
[ "$1 $2" = "-n --" ] && shift 2
exec "$@"
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SshHost:
    for name, text in {"ssh": SSH, "sudo": SUDO}.items():
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SSH_PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SSH_SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("SSH_FAILS", "")
    described = Host(name="nanning-s", letter="s", address=IPv4Address("198.18.1.13"), model="lab-store")
    return SshHost(described, Home(tmp_path / "home"))


def seen(tmp_path: Path) -> list[str]:
    return (tmp_path / "seen").read_text().splitlines()


def test_the_command_line_checks_host_keys_and_asks_nothing(host: SshHost, tmp_path: Path) -> None:
    assert host.run(["echo", "a  b", "$HOME; true"]) == b"a  b $HOME; true\n"
    words = seen(tmp_path)
    for wanted in ("BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"):
        assert wanted in words
    assert f"UserKnownHostsFile={tmp_path / 'home' / 'known_hosts'}" in words
    assert words[words.index("-i") + 1] == str(tmp_path / "home" / "keys" / "ssh_ed25519")
    assert "rollout@198.18.1.13" in words


def test_input_reaches_the_program(host: SshHost) -> None:
    assert host.run(["cat"], input=b"\x00binary\n") == b"\x00binary\n"


def test_sudo_never_asks(host: SshHost, tmp_path: Path) -> None:
    assert host.run(["echo", "x"], sudo=True) == b"x\n"
    assert seen(tmp_path)[-1] == "sudo -n -- echo x"


def test_a_failing_program_is_an_apply_error_with_its_words(host: SshHost) -> None:
    with pytest.raises(ApplyError, match=r"(?s)nanning-s: sh ended with 3.*no space"):
        host.run(["sh", "-c", "echo no space >&2; exit 3"])


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("ssh: connect to host 198.18.1.13 port 22: No route to host", "Is it running"),
        ("Host key verification failed.", "update known_hosts"),
    ],
)
def test_no_connection_is_unreachable(
    host: SshHost, monkeypatch: pytest.MonkeyPatch, said: str, hint: str
) -> None:
    monkeypatch.setenv("SSH_FAILS", said)
    with pytest.raises(UnreachableError) as error:
        host.run(["true"])
    assert said in error.value.message
    assert hint in error.value.hint
    with pytest.raises(UnreachableError), host.stream(["cat"]) as channel:
        channel.stdin.write(b"x" * 1_000_000)


def test_no_answer_in_time_is_unreachable(host: SshHost) -> None:
    with pytest.raises(UnreachableError, match=r"no answer within 0\.2 s"):
        host.run(["sleep", "5"], timeout=0.2)


def test_a_stream_goes_both_ways(host: SshHost) -> None:
    with host.stream(["cat"], sudo=True) as channel:
        channel.stdin.write(b"one\n")
        channel.stdin.flush()
        assert channel.stdout.readline() == b"one\n"


def test_a_stream_that_ends_early_says_why(host: SshHost) -> None:
    stream = host.stream(["sh", "-c", "echo refused >&2; exit 1"])
    with pytest.raises(ApplyError, match="refused"), stream as channel:
        channel.stdin.write(b"x" * 10_000_000)


def test_our_own_error_wins_and_ends_the_program(host: SshHost) -> None:
    with pytest.raises(KeyError), host.stream(["sleep", "60"]):
        raise KeyError
