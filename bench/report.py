"""What every result says of itself, and where it is kept."""

import json
import os
import platform
import subprocess
from pathlib import Path

from rollout import clock

ROOT = Path(__file__).resolve().parent.parent


def keep(name: str, figures: dict[str, object]) -> None:
    """Writes ``bench/results/<name>.json``: the figures, with the commit and the machine they belong to."""
    argv = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    about = {
        "bench": name,
        "taken_at": clock.now().isoformat(),
        "commit": commit,
        "machine": {
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
    }
    folder = ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(about | figures, indent=1) + "\n", encoding="utf-8")
