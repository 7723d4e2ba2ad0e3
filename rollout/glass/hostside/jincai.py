"""Runs a command of the platform on a minicomputer, such as `jincai freeze`, as the schema's owner."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

_SETTINGS = Path("/etc/jincai/migrate.env")
# As the platform's own account, which can gain nothing; the owner's address is in no command line and no log.
_AS_JINCAI = (
    *("setpriv", "--reuid=jincai", "--regid=jincai", "--clear-groups", "--no-new-privs"),
    *("--bounding-set=-all", "--"),
)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What became of it.

    Args:
        question: ``words``: the command's words after ``jincai``; ``python``: the platform's interpreter;
            ``seconds``: how long it may take; ``stdin``: what it reads, nothing if left out.

    Returns:
        ``code`` and the end of what it ``said``; ``result``, its JSON, if it succeeded.
    """
    for needed in (_SETTINGS, Path(question["python"])):
        if not needed.exists():
            return {"code": -1, "said": f"{needed} is not there: no platform is installed here"}
    argv = [*_AS_JINCAI, question["python"], "-P", "-s", "-m", "jincai", *question["words"]]
    try:
        done = subprocess.run(
            argv,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **_settings()},
            cwd="/",
            input=question.get("stdin", "").encode(),
            capture_output=True,
            timeout=question["seconds"],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"code": -1, "said": f"not done within {question['seconds']} s"}
    said = (done.stderr or done.stdout).decode(errors="replace")[-2000:].strip()
    if done.returncode:
        return {"code": done.returncode, "said": said}
    return {"code": 0, "said": said, "result": json.loads(done.stdout)}


def _settings() -> dict[str, str]:
    """NAME="value", a line each, as systemd reads it."""
    words = shlex.split(_SETTINGS.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)
