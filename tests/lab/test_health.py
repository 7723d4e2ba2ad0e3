"""What a wave asks of a site, asked by hand: a healthy city, WAL that is not archived, etcd that is down."""

import json
import time

from tests.lab.city import City


def shut(city: City, expect: int = 0) -> dict[str, str]:
    """Gates that are shut, with their figures."""
    done = city.rollout("health", "--site", city.site, "--json", expect=expect)
    return {one["gate"]: one["figure"] for one in json.loads(done.stdout)[city.site] if not one["open"]}


def test_alarms_are_raised_and_end(city: City) -> None:
    city.wait_whole()
    assert shut(city) == {}
    storage = city.host("s")
    storage.run("systemctl stop pgbackrest.service etcd.service")
    try:
        city.sql("SELECT pg_switch_wal()")
        end = time.monotonic() + 180
        while "WAL is not archived: 0" not in (alarms := shut(city, expect=1)["alarms"]):
            assert time.monotonic() < end, alarms
            time.sleep(2)
        assert f"on {city.site}-{city.leader()}" in alarms
        assert "etcd: " in alarms
        assert f"on {city.site}-s" in alarms
    finally:
        storage.run("systemctl start pgbackrest.service etcd.service")
    city.sql("SELECT pg_switch_wal()")
    end = time.monotonic() + 180
    while city.rollout("health", "--site", city.site, expect=None).returncode:
        assert time.monotonic() < end
        time.sleep(2)
