"""Opens a delivered host to the control node's key, and then closes it to passwords: two questions."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

_SSHD = Path("/etc/ssh/sshd_config.d/00-rollout.conf")
_SUDO = Path("/etc/sudoers.d/10-rollout")
# What roles/base writes there later says more.
_KEY_ONLY = """\
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthenticationMethods publickey
"""


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """``said``: what was done; ``wrong``: why it cannot be, nothing if it was.

    Args:
        question: ``do``: ``open`` or ``close``; ``user``: the account; ``key``: the public key's line.
    """
    try:
        if question["do"] == "open":
            return {"said": _open(question["user"], question["key"]), "wrong": ""}
        return {"said": _close(), "wrong": ""}
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or ""
        return {"said": "", "wrong": f"{error} {said}".strip()[:500]}


def _open(user: str, key: str) -> str:
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        subprocess.run(
            ["useradd", "--create-home", "--shell", "/bin/bash", user],
            check=True,
            capture_output=True,
            text=True,
        )
        account = pwd.getpwnam(user)
    folder = Path(account.pw_dir) / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "authorized_keys"
    lines = file.read_text().splitlines() if file.exists() else []
    if key not in lines:
        _write(file, "".join(f"{line}\n" for line in [*lines, key]), 0o600)
    for path in (folder, file):
        os.chown(path, account.pw_uid, account.pw_gid)
    _write(_SUDO, f"{user} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    try:
        subprocess.run(["visudo", "-cf", str(_SUDO)], check=True, capture_output=True, text=True)
    except (OSError, subprocess.SubprocessError):
        _SUDO.unlink()
        raise
    return f"{user} may log in by key"


def _close() -> str:
    before = _SSHD.read_text() if _SSHD.exists() else None
    if before is not None and "AuthenticationMethods publickey" in before:
        return "already by key only"
    _write(_SSHD, _KEY_ONLY, 0o644)
    try:
        subprocess.run(
            ["sshd", "-t"], check=True, capture_output=True, text=True, env={"PATH": "/usr/sbin:/usr/bin"}
        )
        subprocess.run(["systemctl", "reload", "ssh"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.SubprocessError):
        # sshd goes on as it was.
        if before is None:
            _SSHD.unlink()
        else:
            _write(_SSHD, before, 0o644)
        raise
    return "by key only"


def _write(file: Path, text: str, mode: int) -> None:
    partial = file.with_name(f".{file.name}.new")
    partial.write_text(text)
    partial.chmod(mode)
    partial.replace(file)
