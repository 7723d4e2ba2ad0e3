"""The bare root filesystem: built once from this machine's own Debian sources, then only read."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from rollout.lab import sources
from rollout.lab.shell import LabError, command

CACHE = Path("/var/cache/rollout-lab")

# What a host is delivered with; everything else comes with the release.
PACKAGES = ("openssh-server", "python3", "sudo", "systemd", "systemd-sysv")
_CUSTOMIZATION = 1

_FILES = {
    # The lab's disks are thrown away: dpkg need not wait for each file to reach them.
    "etc/dpkg/dpkg.cfg.d/lab": "force-unsafe-io\n",
    "etc/apt/apt.conf.d/lab": 'APT::Install-Recommends "false";\n',
    "etc/ssh/sshd_config.d/10-delivered.conf": "PermitRootLogin no\nPasswordAuthentication no\n",
    "etc/sudoers.d/rollout": "rollout ALL=(ALL:ALL) NOPASSWD: ALL\n",
    "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nSystemMaxUse=64M\n",
    "etc/machine-id": "",
}
_REMOVED = (
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/hostname",
    "etc/resolv.conf",
    "var/lib/dbus/machine-id",
)


def identity() -> str:
    """The name of the current bare root: what goes into it decides it."""
    recipe = json.dumps([sorted(PACKAGES), sources.SUITES, _CUSTOMIZATION, sorted(_FILES.items()), _REMOVED])
    return "root-" + hashlib.sha256(recipe.encode()).hexdigest()[:12]


def ensure(say: Callable[[str], None]) -> Path:
    """The bare root's folder, built first if it is not there; a second builder waits for the first."""
    root = CACHE / identity()
    if root.is_dir():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "build.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            say("building the bare root filesystem (once, about half a minute)")
            partial = CACHE / f"{root.name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            _bootstrap(partial)
            _customize(partial)
            partial.rename(root)
    return root


def _bootstrap(target: Path) -> None:
    keys = CACHE / "keys"
    keys.mkdir(exist_ok=True)
    lines = sources.debian_sources(keys)
    options, listing = CACHE / "apt.conf", CACHE / "sources.list"
    options.write_text(
        "\n".join(['APT::Install-Recommends "false";', *sources.apt_options(), ""]), encoding="utf-8"
    )
    listing.write_text("\n".join([*lines, ""]), encoding="utf-8")
    hook = "/usr/share/mmdebstrap/hooks/file-mirror-automount"
    # Its own mount namespace: whatever an interrupted build leaves mounted goes away with it.
    command(
        [
            *("unshare", "--mount", "--propagation", "private", "--"),
            *("mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--quiet"),
            f"--include={','.join(PACKAGES)}",
            f"--aptopt={options}",
            *([f"--hook-directory={hook}"] if sources.local_mirrors(lines) else []),
            *("bookworm", str(target), str(listing)),
        ]
    )


def _customize(root: Path) -> None:
    for name in _REMOVED:
        (root / name).unlink(missing_ok=True)
    for pattern in ("etc/ssh/ssh_host_*", "etc/apt/sources.list", "etc/apt/sources.list.d/*"):
        for path in root.glob(pattern):
            path.unlink()
    for name, text in _FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
        path.parent.chmod(0o755)
        path.chmod(0o644)
    (root / "etc/sudoers.d/rollout").chmod(0o440)
    inside = ("chroot", str(root))
    command([*inside, "useradd", "--create-home", "--shell", "/bin/bash", "rollout"])
    command([*inside, "passwd", "--quiet", "--lock", "root"])
    command([*inside, "systemctl", "--quiet", "enable", "systemd-networkd.service"])
    if not (root / "usr/sbin/sshd").exists():
        raise LabError(f"{root}: the bare root has no sshd; delete {CACHE} and try again")
