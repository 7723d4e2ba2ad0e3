"""The city that most lab tests share: built, deployed and audited once."""

import os
from collections.abc import Iterator

import pytest

from rollout.lab.requirements import missing
from rollout.paths import Home
from tests.lab.city import HOME, City, write_inventory


@pytest.fixture(scope="session")
def _possible() -> None:
    lacks = missing()
    if lacks:
        reason = f"the lab cannot run here; missing: {', '.join(lacks)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture(scope="session")
def bare_city(_possible: None) -> Iterator[City]:
    """Three hosts as they are delivered, and a release in the depot."""
    home = Home(HOME)
    city = City(home, write_inventory(HOME / "inventory"))
    city.rollout("release", "build", "2026.1")
    if not os.environ.get("ROLLOUT_TEST_KEEP"):
        city.raze()
    city.rollout("lab", "up", "--site", city.site, "-i", str(city.inventory))
    try:
        yield city
    finally:
        if not os.environ.get("ROLLOUT_TEST_KEEP"):
            city.raze()


@pytest.fixture(scope="session")
def city(bare_city: City) -> City:
    """The city with the release applied."""
    bare_city.apply()
    return bare_city
