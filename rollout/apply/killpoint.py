"""A drill: the process kills itself at a named point, so that the next apply can prove that it goes on.

``ROLLOUT_KILL_AT=STEP:WHEN`` or ``SITE/STEP:WHEN``, such as ``etcd:before`` or ``nanning/platform:during``.
WHEN is ``before`` (journalled, nothing done), ``during`` (a host has reported its first result; the child
goes on as an orphan) or ``after`` (done and journalled). SIGKILL leaves no chance to tidy up: a power cut.
"""

import os
import signal
from typing import Literal

VARIABLE = "ROLLOUT_KILL_AT"
When = Literal["before", "during", "after"]


def reached(site: str, step: str, when: When) -> None:
    """Ends the process if this is the point that was named."""
    if os.environ.get(VARIABLE) in {f"{step}:{when}", f"{site}/{step}:{when}"}:
        os.kill(os.getpid(), signal.SIGKILL)
