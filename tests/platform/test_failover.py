"""The primary dies, its synchronous standby takes over, and the application goes on by itself."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from jincai.embedded import Server

PARAMETERS = {
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "synchronous_standby_names": "*",
}
DIVISIONS = "/api/v1/standards/divisions?limit=1"


@dataclass(frozen=True)
class Pair:
    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """Both hosts; libpq finds the one that accepts writes."""
        hosts = ",".join(quote(str(one.socket_folder), safe="") for one in (self.primary, self.standby))
        return f"postgresql://jincai_app@/jincai?host={hosts}&target_session_attrs=read-write"


def wait_until_synchronous(primary: Server) -> None:
    synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    with psycopg.connect(primary.url("postgres"), autocommit=True) as cx:
        for _ in range(600):
            if cx.execute(synchronous).fetchone() == (1,):
                return
            time.sleep(0.1)
    raise AssertionError("the standby did not connect within 60 s")


def copy(origin: Server, target: Server, *options: str) -> None:
    target.make_folders()
    target.run("pg_basebackup", "-d", origin.url(), "-D", str(target.data), "-c", "fast", *options)
    target.start()


@pytest.fixture
def pair(server: Server, home: Path) -> Iterator[Pair]:
    """A primary and its synchronous standby, copied from the session's server and its migrated database."""
    primary, standby = (Server(server.binaries, home / name, PARAMETERS) for name in "ab")
    try:
        copy(server, primary)
        copy(primary, standby, "-R")
        wait_until_synchronous(primary)
        yield Pair(primary, standby)
    finally:
        standby.stop("immediate")
        primary.stop("immediate")


def test_a_standby_takes_over(pair: Pair, serving) -> None:
    with psycopg.connect(pair.primary.url("postgres"), autocommit=True) as cx:
        cx.execute("GRANT pg_read_all_stats TO jincai_app")
    with serving(pair.url) as client:
        assert client.get(DIVISIONS).status_code == 200
        assert client.get("/healthz").json()["protected"] is True

        pair.primary.stop("immediate")
        began = time.monotonic()
        pair.standby.run("pg_ctl", "-D", str(pair.standby.data), "promote", "-w")
        assert client.get(DIVISIONS).status_code == 200
        assert time.monotonic() - began < 5
        found = client.get("/healthz").json()
        assert found["database"]["primary"] is True
        assert found["protected"] is False


def test_a_standby_takes_over_from_a_primary_that_hangs(pair: Pair, serving, frozen) -> None:
    with serving(pair.url) as client:
        assert client.get(DIVISIONS).status_code == 200
        with frozen(pair.primary):
            pair.standby.run("pg_ctl", "-D", str(pair.standby.data), "promote", "-w")
            began = time.monotonic()
            assert client.get(DIVISIONS).status_code == 200
            assert time.monotonic() - began < 8


def test_a_role_that_may_not_see_says_so(pair: Pair, serving) -> None:
    with serving(pair.url) as client:
        assert client.get("/healthz").json()["protected"] is None


def test_a_standby_alone_is_no_primary(pair: Pair, serving) -> None:
    with serving(pair.standby.url(user="jincai_app")) as client:
        assert client.get("/healthz").status_code == 503
