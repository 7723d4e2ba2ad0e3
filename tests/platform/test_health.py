import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient
from jincai import migrate
from jincai.embedded import Server

DIVISIONS = "/api/v1/standards/divisions"
PROBLEM = "application/problem+json"


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def stopped(server: Server, client: TestClient) -> Iterator[Server]:
    """The server, stopped under an application that has just used it."""
    eventually(lambda: client.get("/healthz").status_code == 200)
    assert client.get("/version").status_code == 200
    server.stop()
    yield server
    server.start()


def test_a_healthy_platform(client: TestClient, server: Server) -> None:
    body = client.get("/healthz").json()
    with psycopg.connect(server.url("postgres")) as cx:
        version = cx.info.parameter_status("server_version")
    assert body == {
        "status": "ok",
        "database": {"reachable": True, "primary": True, "server_version": version},
        "protected": False,
        "pending": [],
        "frozen": False,
        "freeze": None,
    }


def test_alive_needs_no_database(stopped: Server, client: TestClient) -> None:
    assert not stopped.running()
    assert client.get("/livez").text == "ok\n"


@pytest.mark.usefixtures("stopped")
def test_without_a_database_it_is_ill_and_says_so_in_time(client: TestClient) -> None:
    began = time.monotonic()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"].isdecimal()
    assert time.monotonic() - began < 3


@pytest.mark.usefixtures("stopped")
def test_without_a_database_a_request_ends_in_time(client: TestClient) -> None:
    began = time.monotonic()
    answer = client.get(DIVISIONS)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert int(answer.headers["retry-after"]) > 0
    assert 6 < time.monotonic() - began < 9.5


def test_a_request_waits_for_the_database_to_come_back(stopped: Server, client: TestClient) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, DIVISIONS)
        time.sleep(1.5)
        assert not waiting.done()
        stopped.start()
        assert waiting.result().status_code == 200
    eventually(lambda: client.get("/healthz").status_code == 200)


@pytest.mark.usefixtures("stopped")
def test_the_version_is_told_without_a_database(client: TestClient) -> None:
    body = client.get("/version").json()
    assert body["platform"]["version"] == "1.0.0"
    assert body["schema"]["jincai"] == migrate.newest(())["jincai"]


@pytest.mark.usefixtures("stopped")
def test_the_overview_answers_without_a_database(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "数据库不可用" in answer.text


def test_after_a_crash_nothing_needs_a_restart(server: Server, client: TestClient) -> None:
    client.get(DIVISIONS)
    server.stop("immediate")
    server.start()
    assert client.get(DIVISIONS).status_code == 200


def test_it_starts_without_a_database_and_finds_it_later(server: Server, serving, database) -> None:
    server.stop()
    try:
        with serving(database.app) as client:
            assert client.get("/healthz").status_code == 503
            assert client.get("/version").json()["schema"]["jincai"] is None
            server.start()
            eventually(lambda: client.get("/healthz").status_code == 200)
            assert client.get(DIVISIONS).status_code == 200
    finally:
        server.start()


def test_a_frozen_server_keeps_nobody_waiting(server: Server, client: TestClient, frozen) -> None:
    eventually(lambda: client.get("/healthz").status_code == 200)
    assert client.get(DIVISIONS).status_code == 200
    with frozen(server):
        began = time.monotonic()
        assert client.get("/healthz").status_code == 503
        assert time.monotonic() - began < 3
        assert client.get(DIVISIONS).status_code == 503
        assert time.monotonic() - began < 12.5
    eventually(lambda: client.get("/healthz").status_code == 200)
    assert client.get(DIVISIONS).status_code == 200


def test_due_migrations_are_named(serving, empty_database) -> None:
    with serving(empty_database.app) as client:
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert f"jincai {migrate.newest(())['jincai']}" in answer.json()["detail"]
        assert "jincai migrate" in answer.json()["detail"]
        assert client.get("/version").json()["schema"] == dict.fromkeys(
            ["jincai", "budget", "ledger", "payment"]
        )
        assert "jincai migrate" in client.get("/").text
