"""Two ways into a host: through the kernel as root, and over ssh as the control node comes."""

import shlex
import socket
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Address

from rollout.paths import Home

USER = "rollout"

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = ("env", "--ignore-environment", "--chdir=/root", _PATH, "HOME=/root", "LANG=C.UTF-8")


def enter(
    init_pid: int, argv: Sequence[str], stdin: str | None, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Runs ``argv`` as root in the host of ``init_pid``; the status is 124 after ``timeout`` s."""
    return subprocess.run(
        [
            *("nsenter", "--target", str(init_pid), "--all", "--"),
            *(*_ENVIRONMENT, "timeout", "--kill-after=5", str(timeout), *argv),
        ],
        **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        text=True,
        capture_output=True,
        check=False,
    )


def ssh(home: Home, address: IPv4Address, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """One command over ssh as the delivered user, with the host's key checked and no other key offered."""
    settings = {
        "BatchMode": "yes",
        "ConnectTimeout": "5",
        "GlobalKnownHostsFile": "none",
        "IdentitiesOnly": "yes",
        "IdentityFile": str(home.ssh_key),
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(home.known_hosts),
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    return subprocess.run(
        ["ssh", "-F", "none", *options, f"{USER}@{address}", *argv],
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
    )


def answers(address: IPv4Address, seconds: float = 0.5) -> bool:
    """Whether an ssh server speaks at ``address``."""
    try:
        with socket.create_connection((str(address), 22), timeout=seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def write_script(path: str, mode: int, owner: str) -> str:
    """A script that makes its input the file ``path``, whole or not at all."""
    where = shlex.quote(path)
    return f"""\
set -e
umask 022
mkdir -p "$(dirname {where})"
cat > {where}.new
chmod {mode:o} {where}.new
chown {shlex.quote(owner)} {where}.new
mv {where}.new {where}
"""


def key_script(key: str) -> str:
    """A script that lets ``key`` in, in place of an earlier one with the same comment; others stay."""
    comment = key.rsplit(" ", 1)[1]
    return f"""\
set -e
cd /home/{USER}
mkdir -p -m 700 .ssh
touch .ssh/authorized_keys
if ! grep -qxF {shlex.quote(key)} .ssh/authorized_keys; then
  grep -v ' {comment}$' .ssh/authorized_keys > .ssh/new || true
  echo {shlex.quote(key)} >> .ssh/new
  mv .ssh/new .ssh/authorized_keys
fi
chmod 600 .ssh/authorized_keys
chown -R {USER}: .ssh
"""
