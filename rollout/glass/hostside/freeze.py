"""Freezes or thaws the site's payments, from a minicomputer: `jincai freeze`, as the schema's owner."""

import json
import subprocess
from pathlib import Path
from typing import Any

# systemd reads the owner's address as root; jincai sees it, and neither a command line nor a log does.
_SANDBOX = (
    *("systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--uid=jincai", "--gid=jincai"),
    *("--property=EnvironmentFile=/etc/jincai/migrate.env", "--property=NoNewPrivileges=yes"),
    *("--property=ProtectSystem=strict", "--property=ProtectHome=yes", "--property=PrivateTmp=yes"),
    "--setenv=PYTHONDONTWRITEBYTECODE=1",
)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What became of it.

    Args:
        question: ``words``: the command's words after ``jincai``; ``python``: the platform's interpreter;
            ``seconds``: how long it may take.

    Returns:
        ``code`` and the end of what it ``said``; ``result``, its JSON, if it succeeded.
    """
    if not Path(question["python"]).exists():
        return {"code": -1, "said": f"{question['python']} is not there: no platform is installed here"}
    argv = [*_SANDBOX, question["python"], "-P", "-s", "-m", "jincai", *question["words"]]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=question["seconds"], check=False)
    except subprocess.TimeoutExpired:
        return {"code": -1, "said": f"not done within {question['seconds']} s"}
    said = (done.stderr or done.stdout).decode(errors="replace")[-2000:].strip()
    if done.returncode:
        return {"code": done.returncode, "said": said}
    return {"code": 0, "said": said, "result": json.loads(done.stdout)}
