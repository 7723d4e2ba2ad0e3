"""An apply of the whole lab region that has nothing to do, beside the audit of the same hosts.

On the region that `make region` left standing; it changes nothing.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rollout import clock
from rollout.inventory import load
from rollout.lab import Lab
from rollout.paths import Home

ROOT = Path(__file__).resolve().parent.parent
ROLLOUT = Path(sys.executable).parent / "rollout"
RELEASE = "2026.1"
INVENTORY = ROOT / "inventory" / "lab"
HOME = Path(os.environ.get("ROLLOUT_HOME", "/var/lib/rollout"))
ROUNDS = 5
MUST_SECONDS, AIM_SECONDS = 20.0, 10.0


def call(*arguments: str) -> float:
    """Seconds of one command, from its start to its end."""
    environment = {**os.environ, "ROLLOUT_HOME": str(HOME), "ROLLOUT_INVENTORY": str(INVENTORY)}
    begun = time.monotonic()
    done = subprocess.run(
        [str(ROLLOUT), *arguments], capture_output=True, text=True, check=False, env=environment
    )
    seconds = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return round(seconds, 3)


def main() -> None:
    """Measures; exit code 1 if it takes longer than it may."""
    inventory = load(INVENTORY)
    lab = Lab(Home(HOME), inventory)
    up = sorted(set(lab.known()) & set(inventory.sites))
    if "guangxi" not in up or len(up) < 2:
        print("bench_noop: skipped, no region stands here; `make region` brings it up")
        return
    sites = [part for site in up for part in ("--site", site)]
    call("plan", RELEASE, *sites)  # ends with 1, and so does this, when there is something to do
    seconds: dict[str, list[float]] = {"apply, nothing to do": [], "audit": []}
    for _ in range(ROUNDS):
        seconds["apply, nothing to do"].append(call("apply", RELEASE, *sites, "--yes"))
        seconds["audit"].append(call("audit", RELEASE, *sites))
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    found = {
        "benchmark": "noop",
        "taken_at": clock.now().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": {"cpus": os.cpu_count(), "load_before": os.getloadavg()[0]},
        "sites": up,
        "hosts": sum(len(inventory.sites[site].hosts) for site in up),
        "seconds": seconds,
        "median_seconds": middle,
        "must_seconds": MUST_SECONDS,
        "met": middle["apply, nothing to do"] <= MUST_SECONDS,
    }
    for name, value in middle.items():
        print(f"{name}: {value:.2f} s ({found['hosts']} hosts; {' '.join(map(str, seconds[name]))})")
    print(f"must {MUST_SECONDS:.0f} s, aim {AIM_SECONDS:.0f} s")
    folder = ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "noop.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if found["met"] else 1)


if __name__ == "__main__":
    main()
