"""Runs programs on this machine and turns their failure into an error that names the command."""

import shlex
import subprocess
from collections.abc import Sequence

from rollout.errors import Exit, RolloutError


class LabError(RolloutError):
    """Something in the lab did not work; the same command can be repeated."""

    exit_code = Exit.FAILED


def command(
    argv: Sequence[str], *, stdin: str | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs ``argv`` and captures its output; a failure raises LabError with the last lines it wrote."""
    done = subprocess.run(list(argv), input=stdin, text=True, capture_output=True, check=False)
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise LabError(f"{shlex.join(argv)} ended with {done.returncode}", "\n  ".join(said))
    return done
