"""Starts the container of a host: its own session, mount namespace and control group."""

import os
import subprocess
from pathlib import Path

from rollout.lab import cgroup, overlay
from rollout.lab.record import Record

# Runs in a private mount namespace, so the overlay is visible to the host alone and ends with it. The process
# writes down who it is before anything else can happen. systemd-nspawn ends with 133 when the host reboots
# itself, because with --keep-unit it leaves starting again to whoever started it. A cable that was cut stays
# out of the bridge from the first moment.
_LAUNCH = """\
set -eu
supervisor=$1 options=$2 root=$3 launcher=$4 groups=$5 bridge=$6
shift 6
read -r stat < /proc/$$/stat
read -r boot < /proc/sys/kernel/random/boot_id
start=$(set -- $stat; shift 21; echo "$1")
echo "$$ $start $boot" > "$supervisor"
for group in $launcher; do echo $$ > "$group/cgroup.procs"; done
mount -t overlay overlay -o "$options" "$root"
trap 'kill -TERM $nspawn' TERM
status=133
while [ $status -eq 133 ]; do
  network=--network-bridge=$bridge
  [ ! -e link-cut ] || network=--network-veth
  sh -c 'for group in $1; do echo $$ > "$group/cgroup.procs"; done; shift; exec systemd-nspawn "$@"' \\
    nspawn "$groups" "$network" "$@" &
  nspawn=$!
  while kill -0 $nspawn 2> /dev/null; do
    status=0
    wait $nspawn || status=$?
  done
done
exit $status
"""

# In the host's folder; the script above looks for it.
CUT_MARK = "link-cut"

# Version 1 control groups come read-only; systemd enforces MemoryMax= and TasksMax= only where it can write.
_INIT = """\
for name in {controllers}; do
  mountpoint -q /sys/fs/cgroup/$name && mount -o remount,rw,bind /sys/fs/cgroup/$name
done
exec /lib/systemd/systemd
"""


def arguments(name: str, root: Path) -> list[str]:
    """What systemd-nspawn is told of a host, apart from its network."""
    return [
        "--quiet",
        "--register=no",
        *([] if cgroup.machine_has_systemd() else ["--keep-unit"]),
        f"--machine={name}",
        f"--directory={root}",
        "--console=read-only",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--kill-signal=SIGRTMIN+3",
        "/bin/sh",
        "-c",
        _INIT.format(controllers=" ".join(cgroup.CONTROLLERS)),
    ]


def launch(folder: Path, run: Path, record: Record, bridge: str) -> None:
    """Starts the container and returns at once; who it is stands in ``run/supervisor`` a moment later.

    The container is nobody's child: it outlives the command that started it.
    """
    root = run / "root"
    root.mkdir(parents=True, exist_ok=True)
    (run / "supervisor").unlink(missing_ok=True)
    launcher, groups = (" ".join(map(str, cgroup.create(name))) for name in (cgroup.LAUNCHER, record.name))
    log = folder / "console.log"
    if log.exists():
        log.replace(folder / "console.log.1")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with log.open("wb") as output, Path(os.devnull).open("rb") as nothing:
        subprocess.run(
            [
                *("setsid", "--fork", "unshare", "--mount", "--propagation", "private", "--"),
                *("/bin/sh", "-c", _LAUNCH, "launch"),
                *(
                    str(run / "supervisor"),
                    overlay.options(record.layers, record.base),
                    str(root),
                    launcher,
                    groups,
                    bridge,
                ),
                *arguments(record.name, root),
            ],
            cwd=folder,
            env=environment,
            stdin=nothing,
            stdout=output,
            stderr=output,
            check=True,
        )
