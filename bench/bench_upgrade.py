"""A real city gets the next release and goes back, while 8 clients pay 40 times a second through its address.

The reference is the city left alone for half a minute: the same clients, the same requests.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from report import keep
from rich.console import Console
from rich.table import Table

from rollout.lab.requirements import missing
from tests.lab import load, second_release
from tests.lab.city import HOME, City, Home, write_inventory

# DESIGN §8.
MUST_PAUSE_SECONDS, AIM_PAUSE_SECONDS = 5.0, 2.0


def seen(city: City, work: Callable[[], object]) -> dict[str, object]:
    """What the clients saw while ``work`` was done."""
    city.wait_whole()
    begun = time.monotonic()
    with load.payments(city) as found:
        work()
        seconds = time.monotonic() - begun
    return {
        "seconds": round(seconds, 1),
        "payments": len(found.posted),
        "failed": len(found.failed),
        "repeated_once": found.repeated,
        "lost": len(load.lost(city, found)),
        "longest_write_pause_s": round(found.longest_pause, 2),
        "slowest_request_s": round(found.slowest, 2),
    }


def measure(city: City) -> dict[str, dict[str, object]]:
    """Alone, upgraded, rolled back."""
    following = second_release.build(city)
    site = ["--site", city.site, "--yes"]
    return {
        "left alone": seen(city, lambda: time.sleep(30)),
        "upgrade": seen(city, lambda: city.rollout("apply", following, *site)),
        "rollback": seen(city, lambda: city.rollout("rollback", *site)),
    }


def main() -> int:
    """Measures, shows, and keeps the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", action="store_true", help="use the city that is there, and leave it there")
    options = parser.parse_args()
    lacks = missing()
    if lacks or os.geteuid():
        print(f"not measured: the lab cannot run here; missing: {', '.join(lacks) or 'root'}")
        return 0
    city = City(Home(HOME), write_inventory(HOME / "inventory"))
    if not options.kept:
        city.raze()
        city.rollout("release", "build", "2026.1")
        city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
        city.apply()
    found = measure(city)
    if not options.kept:
        city.raze()
    table = Table("", *next(iter(found.values())))
    for name, row in found.items():
        table.add_row(name, *map(str, row.values()))
    Console(width=140).print(table)
    pause = max(float(str(found[name]["longest_write_pause_s"])) for name in ("upgrade", "rollback"))
    none = all(row["failed"] == 0 and row["lost"] == 0 for row in found.values())
    met = none and pause <= MUST_PAUSE_SECONDS
    keep(
        "upgrade", {"must_pause_s": MUST_PAUSE_SECONDS, "aim_pause_s": AIM_PAUSE_SECONDS, "met": met, **found}
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
