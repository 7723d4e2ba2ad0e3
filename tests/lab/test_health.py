"""What a wave asks of a site, asked by hand: a healthy city, WAL that is not archived, etcd that is down."""

import json
import time

import pytest

from tests.lab.city import City


def shut(city: City, expect: int | None = 0) -> dict[str, str]:
    """Gates that are shut, with their figures."""
    done = city.rollout("health", "--site", city.site, "--json", expect=expect)
    return {one["gate"]: one["figure"] for one in json.loads(done.stdout)[city.site] if not one["open"]}


def until(seconds: float, city: City, said: str) -> str:
    """Waits until the alarms have ``said`` among them; what they are."""
    end = time.monotonic() + seconds
    while said not in (alarms := shut(city, expect=None).get("alarms", "")):
        assert time.monotonic() < end, alarms
        time.sleep(2)
    return alarms


def wait_open(city: City, seconds: float) -> None:
    """Waits until every gate is open."""
    end = time.monotonic() + seconds
    while found := shut(city, expect=None):
        assert time.monotonic() < end, found
        time.sleep(1)


def test_etcd_that_is_down_shuts_the_gate(city: City) -> None:
    city.wait_whole()
    assert shut(city) == {}
    city.host("s").run("systemctl stop etcd.service")
    try:
        assert f"on {city.site}-s" in until(30, city, "etcd: ")
        assert city.rollout("health", "--site", city.site, expect=1).stdout.count("shut") == 1
    finally:
        city.host("s").run("systemctl start etcd.service")
    wait_open(city, 60)


@pytest.mark.long
def test_wal_that_piles_up_shuts_the_gate(city: City) -> None:
    city.wait_whole()
    city.host("s").run("systemctl stop pgbackrest.service")
    try:
        city.sql("SELECT pg_switch_wal()")
        alarms = until(400, city, "WAL is not archived: 0")
        assert f"on {city.site}-{city.leader()}" in alarms
    finally:
        city.host("s").run("systemctl start pgbackrest.service")
    wait_open(city, 180)
