"""What the lab needs of this machine, asked before anything is changed."""

import os
import shutil
import sys
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.lab.shell import command

# program → Debian package that has it
_PROGRAMS = {
    "apt-get": "apt",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "unshare": "util-linux",
}
_NO_UPPER = {"overlayfs", "nfs", "smb", "cifs", "9p", "v9fs", "fuseblk", "fuse", "msdos"}
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}


def missing_packages() -> list[str]:
    """Debian packages whose programs are not here."""
    return sorted({package for program, package in _PROGRAMS.items() if not shutil.which(program)})


def missing() -> list[str]:
    """Everything that keeps the lab from running here, one phrase each; empty when it can run."""
    if sys.platform != "linux":
        return ["Linux"]
    lacks = []
    if os.geteuid() != 0:
        lacks.append("root (run as root or with sudo)")
    else:
        lacks += _missing_capabilities()
        if not _has_overlayfs():
            lacks.append("overlayfs in the kernel")
    return lacks + [f"the package {name}" for name in missing_packages()]


def require() -> None:
    """Raises ConfigurationError that names everything missing and how to get it."""
    lacks = missing()
    if not lacks:
        return
    packages = missing_packages()
    install = f"apt-get install --no-install-recommends {' '.join(packages)}\n  " if packages else ""
    raise ConfigurationError(
        f"the lab cannot run here; missing: {', '.join(lacks)}",
        f"{install}The lab needs root on a Linux machine whose package sources serve Debian 12.\n"
        "  `make serve` runs the platform alone, without any of this.",
    )


def check_home(folder: Path) -> None:
    """Refuses a place for the hosts' disks that overlayfs cannot write to."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = filesystem_of(folder)
    if kind in _NO_UPPER:
        raise ConfigurationError(
            f"{folder} lies on {kind}, which cannot hold the disks of the lab's hosts",
            "Set ROLLOUT_HOME to a folder on ext4, xfs, btrfs or tmpfs.",
        )


def filesystem_of(folder: Path) -> str:
    """The kind of filesystem that ``folder`` lies on, as coreutils names it."""
    return command(["stat", "--file-system", "--format=%T", str(folder)]).stdout.strip()


def _missing_capabilities() -> list[str]:
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    mask = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    lacks = [name for name, bit in _CAPABILITIES.items() if not mask >> bit & 1]
    return [f"{' and '.join(lacks)} (this is a restricted container)"] if lacks else []


def _has_overlayfs() -> bool:
    filesystems = Path("/proc/filesystems")
    if "\toverlay\n" in filesystems.read_text(encoding="ascii"):
        return True
    if shutil.which("modprobe"):
        command(["modprobe", "overlay"], check=False)
    return "\toverlay\n" in filesystems.read_text(encoding="ascii")
