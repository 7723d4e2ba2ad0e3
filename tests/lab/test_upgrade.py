"""A running city gets the next release under load as a canary; its gate shuts, and it goes back under load.

No request fails, no payment is lost, and the city that comes after it stays as it was delivered.
"""

import json
import time
from collections.abc import Iterator

import pytest

from tests.lab import load, second_release
from tests.lab.city import HOME, City, write_inventory

COLUMN = "SELECT count(*) FROM information_schema.columns WHERE (table_name, column_name) = ('quota', 'note')"
POLICY = "canary: {site}\nsoak: {{canary: 60, every: 2, fails: 2}}\n"


def loaded(city: City) -> set[str]:
    """Versions of the platform that the instances of both minicomputers run."""
    return {
        json.loads(city.get("/version", city.address(letter))[2])["platform"]["version"] for letter in "ab"
    }


@pytest.fixture
def late(city: City) -> Iterator[City]:
    """A bare city that comes after the canary, in one inventory with it."""
    folder = write_inventory(HOME / "inventory", city.site, latecity="198.19.40")
    other = City(city.home, folder, "latecity")
    try:
        (folder / "waves.yml").write_text(POLICY.format(site=city.site))
        other.rollout("lab", "up", "--site", other.site, "-i", str(folder))
        yield other
    finally:
        other.raze()
        (folder / "waves.yml").unlink()
        write_inventory(folder, city.site)


def wait_watched(city: City, seconds: float = 1200) -> None:
    """Until the canary is watched."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        board = json.loads(city.rollout("board", "--json").stdout)
        if any(wave["state"] == "watched" for wave in board["waves"]):
            return
        time.sleep(1)
    raise AssertionError(f"not watched within {seconds} s")


def test_a_canary_gets_the_release_and_goes_back_under_load(city: City, late: City) -> None:
    following = second_release.build(city)
    city.wait_whole()
    with load.payments(city) as seen:
        run = city.start("apply", following, "--yes")
        wait_watched(city)
        assert loaded(city) == {second_release.version(2)}
        # What the former version needs is still there.
        assert city.sql(COLUMN) == "1"
        city.host("b").run("systemctl stop jincai@1.service")
        said = " ".join(run.communicate(timeout=900)[0].split())
    assert run.returncode == 4, said
    assert f"gate health: jincai@1.service on {city.site}-b" in said
    assert f"{city.site}: rolled back: 2026.1-" in said
    assert "not begun: latecity" in said
    assert seen.failed == []
    assert load.lost(city, seen) == set()
    assert loaded(city) == {"1.0.0"}
    assert city.audit()["uniform"] is True
    assert late.host("a").run("ls /opt/jincai", check=False).returncode != 0
    board = json.loads(city.rollout("board", "--json").stdout)
    assert board["verb"] == "rollback"
