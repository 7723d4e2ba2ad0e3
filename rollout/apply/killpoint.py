"""Drills at a named point of a run, so that the next run can prove that it goes on.

A point is ``STEP:WHEN`` or ``SITE/STEP:WHEN``, such as ``etcd:before`` or ``nanning/platform:during``. WHEN
is ``before`` (journalled, nothing done), ``during`` (a host has reported its first result; the child goes on)
or ``after`` (done and journalled).

``ROLLOUT_KILL_AT=POINT``: the process kills itself. SIGKILL leaves no chance to tidy up.
``ROLLOUT_PAUSE_AT=POINT`` with ``ROLLOUT_PAUSE_FILE``: it makes that file and waits until somebody, who cut a
host's power meanwhile, takes it away.
"""

import os
import signal
import time
from pathlib import Path
from typing import Literal

KILL = "ROLLOUT_KILL_AT"
PAUSE = "ROLLOUT_PAUSE_AT"
PAUSE_FILE = "ROLLOUT_PAUSE_FILE"
PAUSE_MOST_SECONDS = 120.0
When = Literal["before", "during", "after"]

_paused: set[str] = set()


def reached(site: str, step: str, when: When) -> None:
    """Ends the process, or waits once, if this is the point that was named."""
    here = {f"{step}:{when}", f"{site}/{step}:{when}"}
    if os.environ.get(KILL) in here:
        os.kill(os.getpid(), signal.SIGKILL)
    point = os.environ.get(PAUSE, "")
    if point in here and point not in _paused:
        _paused.add(point)
        _pause(Path(os.environ[PAUSE_FILE]))


def _pause(file: Path) -> None:
    file.touch()
    end = time.monotonic() + PAUSE_MOST_SECONDS
    while file.exists() and time.monotonic() < end:
        time.sleep(0.02)
