"""Every fault at every step of every verb; afterwards the same call, or a rollback, must end uniform.

``--draw N --seed S`` tries N of them, by chance that can be repeated; ``--verb V`` those of one verb;
``--list`` says what there is. It resumes: what passed at this commit is not tried again. The table is written
after each fault, as JSON and Markdown, under docs/evidence/; each row says at which commit.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rollout import clock
from rollout.paths import Home
from tests.lab import faults
from tests.lab.city import City, write_inventory

EVIDENCE = Path("docs/evidence/matrix.json")
HOME = Path(os.environ.get("ROLLOUT_TEST_HOME", "/var/lib/rollout-matrix"))
Row = dict[str, object]


def commit() -> str:
    """The commit that is tried."""
    return subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def load() -> dict[str, Row]:
    """Results so far, of whatever commit."""
    return dict(json.loads(EVIDENCE.read_text(encoding="utf-8"))["faults"]) if EVIDENCE.exists() else {}


def save(rows: dict[str, Row]) -> None:
    """Writes the table, whole."""
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "machine": platform.machine()}
    report = {"machine": machine, "of": len(faults.every()), "faults": rows}
    EVIDENCE.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    good = sum(row["result"] == "uniform" for row in rows.values())
    counts = f"Of {report['of']} faults {good} were tried and passed, {len(rows) - good} failed"
    lines = [
        "# Every fault at every step",
        "",
        f"{counts} ({os.cpu_count()} cores). `make matrix` tries all of them, and resumes.",
        "",
        "| fault, and what then | result | seconds until the fault | seconds until the end | commit |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['result']} | {row['fault_s']} | {row['end_s']} | {row['commit']} |"
        for name, row in rows.items()
    ]
    EVIDENCE.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Exit code 1 when any fault of this call did not end well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draw", type=int, metavar="N", help="only N of them")
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--verb", choices=list(faults.STATES), help="only those of one verb")
    parser.add_argument("--list", action="store_true", help="say what there is")
    options = parser.parse_args()
    wanted = faults.draw(options.seed, options.draw) if options.draw else faults.every()
    wanted = [fault for fault in wanted if options.verb in (None, fault.verb)]
    if options.list:
        print("\n".join(map(str, wanted)))
        return 0
    rows, now, bad = load(), commit(), 0
    ground = _ground()
    for number, fault in enumerate(wanted, 1):
        done = rows.get(str(fault), {})
        if done.get("commit") == now and done["result"] == "uniform":
            continue
        found = faults.suffer(ground, fault)
        rows[str(fault)] = {**found, "commit": now, "taken_at": clock.now().isoformat(timespec="seconds")}
        save(rows)
        bad += found["result"] != "uniform"
        print(f"{number:3} of {len(wanted)}  {fault}: {found['result']}", flush=True)
    return 1 if bad else 0


def _ground() -> faults.Ground:
    city = City(Home(HOME), write_inventory(HOME / "inventory"))
    city.rollout("release", "build", "2026.1")
    city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
    ground = faults.Ground(city)
    ground.prepare()
    return ground


if __name__ == "__main__":
    sys.exit(main())
