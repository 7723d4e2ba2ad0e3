"""The environment of a child: what Ansible needs, and nothing that happens to be in ours."""

import os
import sys
from pathlib import Path

from rollout.apply import orphans
from rollout.paths import Home, content

MANAGED = "ROLLOUT_MANAGED"
# Kept of our own environment. The rest might hold secrets, and ansible-runner writes the whole of it down.
_KEPT = ("HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "PYTHONPATH", "ROLLOUT_HOME")


def of_child(home: Home, run: str, site: str, managed: Path | None) -> dict[str, str]:
    """For one site's playbooks; ``managed`` is the file that the callback writes to."""
    root = content()
    ssh = {
        "UserKnownHostsFile": str(home.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
    }
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        **orphans.mark(run, site),
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(root / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "managed",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_PRIVATE_KEY_FILE": str(home.ssh_key),
        "ANSIBLE_SSH_COMMON_ARGS": " ".join(f"-o {option}={value}" for option, value in ssh.items()),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control_folder(home, run)),
        "ANSIBLE_LOCAL_TEMP": str(home.runs / run / "tmp"),
        **({MANAGED: str(managed)} if managed else {}),
    }


def control_folder(home: Home, run: str) -> Path:
    """Where a run's SSH connections are shared; short, because a socket's path has at most 107 characters."""
    if os.geteuid() == 0:
        base = Path("/run/rollout")
    else:
        base = Path(os.environ.get("XDG_RUNTIME_DIR", home.root)) / "rollout-ssh"
    return base / run.rpartition("-")[2]
