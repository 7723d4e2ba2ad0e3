"""A running city gets the next release and goes back, under load: no request fails, no payment is lost."""

import json

import pytest

from tests.lab import load, second_release
from tests.lab.city import City

COLUMN = "SELECT count(*) FROM information_schema.columns WHERE (table_name, column_name) = ('quota', 'note')"


@pytest.fixture(scope="module")
def following(city: City) -> str:
    """Name of the release after the city's."""
    return second_release.build(city)


def loaded(city: City) -> set[str]:
    """Versions of the platform that the instances of both minicomputers run."""
    return {
        json.loads(city.get("/version", city.address(letter))[2])["platform"]["version"] for letter in "ab"
    }


def test_upgrade_and_rollback_under_load(city: City, following: str) -> None:
    city.wait_whole()
    with load.payments(city) as up:
        city.rollout("apply", following, "--site", city.site, "--yes")
    assert up.failed == []
    assert load.lost(city, up) == set()
    assert loaded(city) == {second_release.version(2)}
    # What the former version needs is still there.
    assert city.sql(COLUMN) == "1"
    city.wait_whole()
    with load.payments(city) as down:
        city.rollout("rollback", "--site", city.site, "--yes")
    assert down.failed == []
    assert load.lost(city, down) == set()
    assert loaded(city) == {"1.0.0"}
    assert city.audit()["uniform"] is True
