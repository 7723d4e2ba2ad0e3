"""Every point of an apply at which the control node can die, one after the other; the next apply must finish.

Resumes: points that passed at this commit are not tried again. Each starts from bare hosts (a saved state),
so that what a run leaves half-done is what a first installation leaves half-done. The table is written
after every point, as JSON and Markdown, under docs/evidence/.

``--in-a-row POINT`` tries POINT and all later ones within one installation, which is faster: killed at a
point, the next run goes past it and is killed at the next one; the last one ends uniform. Its table is apart.
"""

import argparse
import itertools
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rollout import clock
from rollout.paths import Home
from tests.lab.city import City, write_inventory
from tests.lab.test_apply_killed import all_points

EVIDENCE = Path("docs/evidence/matrix.json")
IN_A_ROW = Path("docs/evidence/matrix-in-a-row.json")
HOME = Path(os.environ.get("ROLLOUT_TEST_HOME", "/var/lib/rollout-matrix"))


def commit() -> str:
    """The commit that is tried."""
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "kernel": platform.release(), "machine": platform.machine()}


def load() -> dict[str, dict[str, object]]:
    """Results of this commit so far."""
    if EVIDENCE.exists():
        kept = json.loads(EVIDENCE.read_text(encoding="utf-8"))
        if kept["commit"] == commit():
            return dict(kept["points"])
    return {}


def save(points: dict[str, dict[str, object]], file: Path = EVIDENCE) -> None:
    """Writes the table, whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    taken = clock.now().isoformat()
    report = {"commit": commit(), "machine": machine(), "taken_at": taken, "points": points}
    file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    rows = [f"| `{p}` | {r['result']} | {r['killed_s']} | {r['finished_s']} |" for p, r in points.items()]
    head = [f"# Killed at every point ({report['commit']}, {machine()['cores']} cores)", ""]
    table = ["| killed at | then | seconds until killed | seconds until finished |", "|---|---|---|---|"]
    file.with_suffix(".md").write_text("\n".join([*head, *table, *rows]) + "\n", encoding="utf-8")


def attempt(city: City, point: str) -> dict[str, object]:
    """One point from bare hosts: killed there, applied again, audited."""
    city.raze()
    city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
    begin = time.monotonic()
    killed = city.apply(expect=None, ROLLOUT_KILL_AT=point)
    died = time.monotonic()
    if killed.returncode != -signal.SIGKILL:
        return {"result": f"was not killed: exit {killed.returncode}", "killed_s": 0, "finished_s": 0}
    finished = city.apply(expect=None)
    seconds = {"killed_s": round(died - begin), "finished_s": round(time.monotonic() - died)}
    if finished.returncode:
        return {"result": f"FAILED: {finished.stderr.strip()[-400:]}", **seconds}
    return {"result": "uniform" if city.audit()["uniform"] else "FAILED: not uniform", **seconds}


def in_a_row(city: City, first: str) -> bool:
    """One installation, killed at each point from ``first`` on; whether every next run got past its point."""
    left = all_points()[all_points().index(first) :]
    points: dict[str, dict[str, object]] = {}
    city.raze()
    city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
    died = 0
    for point, then in itertools.zip_longest([None, *left], left):
        begin = time.monotonic()
        run = city.apply(expect=None, **({"ROLLOUT_KILL_AT": then} if then else {}))
        seconds = round(time.monotonic() - begin)
        held = run.returncode == -signal.SIGKILL if then else run.returncode == 0 and city.audit()["uniform"]
        if point:
            good = f"the next run was killed at {then}" if then else "uniform"
            result = good if held else f"FAILED: {run.stderr.strip()[-400:]}"
            points[point] = {"result": result, "killed_s": died, "finished_s": seconds}
            save(points, IN_A_ROW)
            print(f"{point:28} {result}", flush=True)
        if not held:
            return False
        died = seconds
    return True


def main() -> int:
    """Exit code 1 when any point failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-a-row", metavar="POINT", choices=all_points(), help="one installation")
    options = parser.parse_args()
    city = City(Home(HOME), write_inventory(HOME / "inventory"))
    city.rollout("release", "build", "2026.1")
    points = load()
    if options.in_a_row:
        held = in_a_row(city, options.in_a_row)
        city.raze()
        return 0 if held else 1
    for number, point in enumerate(all_points(), 1):
        if points.get(point, {}).get("result") == "uniform":
            continue
        points[point] = attempt(city, point)
        save(points)
        print(f"{number:3} of {len(all_points())}  {point:28} {points[point]['result']}", flush=True)
    city.raze()
    return 0 if all(result["result"] == "uniform" for result in points.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
