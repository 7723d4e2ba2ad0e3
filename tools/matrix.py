"""Every fault at every step of every verb; afterwards the same call, or a rollback, must end uniform.

``--draw N --seed S`` tries N of them, by chance that can be repeated; ``--verb V`` those of one verb;
``--what W`` only kills, only power cuts, or only those of host ``a``, ``b`` or ``s``; ``--when W`` only that
moment of each step; ``--chain`` lets them follow each other, in a sixth of the time; ``--list`` says what
there is. It resumes: what passed at this commit is not tried again. The table is written after each fault,
as JSON and Markdown, under docs/evidence/; each row says at which commit.
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
        "Alone: from its saved state through this fault to the end. In a chain: the call after this fault",
        "suffered the next one, and so on; the last ended the whole. People paid all the time, but for",
        "`apply`, which begins from bare hosts.",
        "",
        "| fault, and what then | how | result | seconds until the fault | seconds until the end | commit |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['how']} | {row['result']} | {row['fault_s']} | {row['end_s']} | {row['commit']} |"
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
    parser.add_argument("--chain", action="store_true", help="one after the other without a new start")
    parser.add_argument(
        "--what", choices=["kill", "power", "a", "b", "s"], help="only kills, power cuts, or one host's"
    )
    parser.add_argument("--when", choices=faults.WHENS, help="only this moment of each step")
    parser.add_argument("--list", action="store_true", help="say what there is")
    options = parser.parse_args()
    drawn = faults.draw(options.seed, options.draw) if options.draw else faults.every()
    tries = faults.chains() if options.chain else [[fault] for fault in drawn]
    tries = [wanted for chain in tries if (wanted := [fault for fault in chain if _wanted(fault, options)])]
    if options.list:
        print("\n".join(str(fault) for chain in tries for fault in chain))
        return 0
    rows, now, bad = load(), commit(), 0
    ground = _ground({chain[0].verb for chain in tries})
    how = "in a chain" if options.chain else "alone"
    for number, chain in enumerate(tries, 1):
        done = [rows.get(str(fault), {}) for fault in chain]
        if all(row.get("commit") == now and row["result"] == "uniform" for row in done):
            continue
        for fault, found in zip(chain, faults.suffer(ground, chain), strict=True):
            taken = {"how": how, "commit": now, "taken_at": clock.now().isoformat(timespec="seconds")}
            rows[str(fault)] = {**found, **taken}
            bad += found["result"] != "uniform"
            print(f"{number:3} of {len(tries)}  {fault}: {found['result']}", flush=True)
        save(rows)
    return 1 if bad else 0


def _wanted(fault: faults.Fault, options: argparse.Namespace) -> bool:
    return (
        options.verb in (None, fault.verb)
        and options.what in (None, fault.what, "kill" if fault.what == "kill" else "power")
        and options.when in (None, fault.point.rpartition(":")[2])
    )


def _ground(verbs: set[faults.Verb]) -> faults.Ground:
    city = City(Home(HOME), write_inventory(HOME / "inventory"))
    city.rollout("release", "build", "2026.1")
    city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
    ground = faults.Ground(city)
    ground.prepare(verbs)
    return ground


if __name__ == "__main__":
    sys.exit(main())
