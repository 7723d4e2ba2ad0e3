"""`rollout apply` is killed again and again; each next run goes on, and the last one ends uniform.

The points are drawn with a seed (ROLLOUT_SEED repeats a draw). `make matrix` tries every one of them.
"""

import os
import random
import signal

from tests.lab import faults
from tests.lab.city import City

SEED = int(os.environ.get("ROLLOUT_SEED", "20261123"))
KILLS = 3


def draw(seed: int, kills: int) -> list[str]:
    """``kills`` of the points, in their order."""
    points = faults.points("apply")
    chosen = random.Random(seed).sample(range(len(points)), kills)  # noqa: S311 - a draw, not a secret
    return [points[index] for index in sorted(chosen)]


def test_killed_at_drawn_points_the_next_apply_finishes(bare_city: City) -> None:
    points = draw(SEED, KILLS)
    print(f"seed {SEED}: {points}")
    for point in points:
        done = bare_city.apply(expect=None, ROLLOUT_KILL_AT=point)
        assert done.returncode == -signal.SIGKILL, (point, done.stdout[-3000:], done.stderr[-3000:])
    bare_city.apply()
    assert bare_city.audit()["uniform"] is True
    bare_city.wait_for("/version", 30)
