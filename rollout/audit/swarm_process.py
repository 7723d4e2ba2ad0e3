"""Starts the process that sweeps (rollout.audit.swarm) ahead of its work.

pyinfra takes a third of a second to import; it does so while the caller is still importing its own half and
reading inventory and release. Nothing is imported here that takes time itself.
"""

import subprocess
import sys

# -P: what lies in the current folder is no part of the tool.
COMMAND = [sys.executable, "-P", "-m", "rollout.audit.swarm"]


_ahead: "list[subprocess.Popen[str]]" = []


def spawn_ahead() -> None:
    """Spawns the swarm that the next ``spawn`` gives."""
    _ahead.append(spawn())


def dismiss_ahead() -> None:
    """Ends the swarm that nobody came for."""
    while _ahead:
        dismiss(_ahead.pop())


def spawn() -> "subprocess.Popen[str]":
    """A swarm that waits for its work on standard input; without any it ends by itself."""
    if _ahead:
        return _ahead.pop()
    pipe = subprocess.PIPE
    return subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def dismiss(swarm: "subprocess.Popen[str]") -> None:
    """Ends a swarm that is not needed after all; nothing happens to one that has done its work."""
    if swarm.poll() is None:
        swarm.kill()
        swarm.communicate()
