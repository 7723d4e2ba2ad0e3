"""An upgrade that cannot come up leaves the city as it was; what was confirmed cannot be rolled back."""

import pytest

from tests.lab import load, second_release
from tests.lab.city import City
from tests.lab.test_upgrade import COLUMN, loaded

pytestmark = pytest.mark.long


def test_a_release_that_does_not_start_takes_nothing_away(city: City) -> None:
    broken = second_release.build(city, 3, broken=True)
    city.wait_whole()
    with load.payments(city) as seen:
        done = city.rollout("apply", broken, "--site", city.site, "--yes", expect=4)
    said = " ".join((done.stdout + done.stderr).split())
    assert "a drill: does not start" in said
    assert "runs 2026.1-" in said
    assert "the other one was not touched" in said
    assert seen.failed == []
    assert load.lost(city, seen) == set()
    assert loaded(city) == {"1.0.0"}
    city.rollout("rollback", "--site", city.site, "--yes")
    assert city.audit()["uniform"] is True


def test_what_was_confirmed_cannot_be_rolled_back(city: City) -> None:
    following = second_release.build(city, 4)
    city.rollout("apply", following, "--site", city.site, "--yes")
    plan = city.rollout("plan", following, "--site", city.site).stdout
    assert "not before `rollout confirm`" in plan
    assert city.sql(COLUMN) == "1"
    with load.payments(city) as seen:
        city.rollout("confirm", "--site", city.site, "--yes")
    assert seen.failed == []
    assert city.sql(COLUMN) == "0"
    assert "nothing waits" in city.rollout("confirm", "--site", city.site, "--yes").stdout
    refused = city.rollout("rollback", "--site", city.site, "--yes", expect=2)
    assert "has removed what it needs" in refused.stderr + refused.stdout
