"""What makes a host this host: name, address, host key; and the control node's key that opens it."""

import os
import shutil
import uuid
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from rollout.lab.network import network_file
from rollout.lab.shell import command
from rollout.paths import Home

_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_KEY_COMMENT = "rollout-control-node"


def control_key(home: Home) -> str:
    """The control node's public key, one line; the pair is made first if there is none."""
    private = home.ssh_key
    if not private.exists():
        command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", _KEY_COMMENT, "-f", str(private)])
    kind, key = command(["ssh-keygen", "-y", "-f", str(private)]).stdout.split()[:2]
    return f"{kind} {key} {_KEY_COMMENT}"


def create(folder: Path, name: str, address: IPv4Address, network: IPv4Network) -> None:
    """Writes the identity layer of a host to ``folder``, whole or not at all; an existing one stays."""
    if folder.is_dir():
        return
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    files = {
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n",
        "etc/machine-id": f"{uuid.uuid4().hex}\n",
        "etc/systemd/network/10-host0.network": network_file(address, network),
    }
    for file, text in files.items():
        path = partial / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    key = partial / _HOST_KEY
    key.parent.mkdir(parents=True)
    command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{name}", "-f", str(key)])
    key.with_suffix(".pub").chmod(0o644)
    for parent, _, _ in os.walk(partial):
        Path(parent).chmod(0o755)
    partial.rename(folder)


def host_key(folder: Path) -> str:
    """The host's public key, without comment."""
    return " ".join((folder / f"{_HOST_KEY}.pub").read_text(encoding="ascii").split()[:2])
