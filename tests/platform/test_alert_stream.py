"""The live stream of alerts: what is committed arrives, once, to whom it may concern."""

import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from jincai import app, plugins
from jincai import server as web
from jincai.monitoring.alerts import feed, news, place
from jincai.settings import Settings
from pydantic import TypeAdapter, ValidationError

from tests.platform.monitor_rows import alert, make_rules
from tests.platform.posting import shown, token_for_all

STREAM = "/monitor/alerts/stream"
PATIENCE = 20
QUIET = 1.0
MANY = """
INSERT INTO monitor.alert (fiscal_year, division, agency_code, subject, subject_id, as_of, amount, rule,
                           version, edition, stage, level, disposal, found_by)
SELECT 2016, '450100', '101001', 'payment', n, '2016-03-05', n, 'R4', 1, 1, 'during', 'red', 'warn', 'posting'
  FROM generate_series(%s, %s) AS n
"""


class Watching:
    """An open stream, read by a thread of its own."""

    def __init__(self, response: httpx.Response) -> None:
        self.events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.place = ""
        self.placed = threading.Event()
        self._response = response
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self.placed.wait(PATIENCE), "the stream gave no place"

    def _read(self) -> None:
        name, data = "", ""
        try:
            for line in self._response.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data = value
                elif field == "id":
                    self.place = value
                    self.placed.set()
                elif not line and name:
                    self.events.put((name, json.loads(data)))
                    name = ""
        except httpx.HTTPError:
            pass
        finally:
            self.events.put(("closed", {}))

    def leave(self) -> None:
        """As a browser that closes the page."""
        stream = self._response.extensions["network_stream"]
        with suppress(OSError):
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)

    def alerts(self, how_many: int) -> list[int]:
        """The ids of the next alerts."""
        found = []
        for _ in range(how_many):
            name, data = self.events.get(timeout=PATIENCE)
            assert name == "alert", (name, found)
            found.append(data["id"])
        return found

    def quiet(self) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.events.get(timeout=QUIET)
        except queue.Empty:
            return True
        return False


@contextmanager
def watching(url: str, token: str, last: str = "", **params: str) -> Iterator[Watching]:
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    if last:
        headers["Last-Event-ID"] = last
    with (
        httpx.Client(base_url=url, timeout=PATIENCE + 20) as client,
        client.stream("GET", STREAM, headers=headers, params=params) as response,
    ):
        assert response.status_code == 200, response.read()
        stream = Watching(response)
        try:
            yield stream
        finally:
            stream.leave()


@pytest.fixture(scope="module")
def reader(session) -> str:
    return session("monitor.read", divisions=["450100"])


@pytest.fixture(scope="module", autouse=True)
def rules(database):
    with psycopg.connect(database.owner, autocommit=True) as cx:
        make_rules(cx)


@pytest.fixture
def books(database):
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


def test_a_committed_alert_arrives_and_an_uncommitted_one_does_not(live, books, reader) -> None:
    with watching(live, reader) as stream:
        one = alert(books)
        name, event = stream.events.get(timeout=PATIENCE)
        assert (name, event["id"], event["title"], event["amount"]) == ("alert", one, "拆分支付", 1_234_567)
        assert "html" not in event
        with books.transaction():
            held = alert(books)
            assert stream.quiet()
        assert stream.alerts(1) == [held]
        with books.transaction(force_rollback=True):
            alert(books)
        assert stream.quiet()


def test_a_smaller_id_that_is_committed_later_is_not_lost(live, database, books, reader) -> None:
    with (
        watching(live, reader) as stream,
        shown(database.app, token_for_all(database.owner)) as other,
        other.transaction(),
    ):
        early = alert(other)
        late = alert(books)
        assert early < late
        assert stream.alerts(1) == [late]
        place_between = stream.place
    with watching(live, reader, last=place_between) as stream:
        assert stream.alerts(1) == [early]
        assert stream.quiet()


def test_what_is_of_others_or_on_trial_does_not_arrive(live, books, session) -> None:
    token = session("monitor.read", divisions=["450200"], agencies=["101001"])
    with watching(live, token) as stream:
        alert(books)
        alert(books, division="450200", agency_code="205001")
        alert(books, division="450200", shadow=True)
        mine = alert(books, division="450200")
        assert stream.alerts(1) == [mine]
        assert stream.quiet()


def test_of_many_that_insert_at_once_none_is_lost_and_none_comes_twice(
    live, database, reader, monkeypatch
) -> None:
    monkeypatch.setattr(news, "PAGE", 7)  # pages end within transactions and between them
    made: list[int] = []
    token = token_for_all(database.owner)

    def insert() -> None:
        with shown(database.app, token) as cx:
            for round_ in range(10):
                with cx.transaction():
                    made.extend([alert(cx) for _ in range(round_ % 4 + 1)])

    with watching(live, reader) as stream:
        threads = [threading.Thread(target=insert) for _ in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(made) == 20 * 23
        assert sorted(stream.alerts(len(made))) == sorted(made)
        assert stream.quiet()


def test_one_statement_may_bring_thousands(live, books, reader) -> None:
    with watching(live, reader) as stream:
        books.execute(MANY, (1_000_001, 1_003_000))
        assert len(set(stream.alerts(3000))) == 3000
        assert stream.quiet()


def test_who_comes_back_gets_what_came_meanwhile(live, books, reader) -> None:
    with watching(live, reader) as stream:
        before = stream.place
        alert(books)
        stream.alerts(1)
    # It was cut off before the place of that alert came.
    meanwhile = alert(books)
    with watching(live, reader, last=before) as stream:
        assert len(stream.alerts(2)) == 2
        after = stream.place
    with watching(live, reader, after=after, html="true") as stream:
        assert stream.quiet()
        one = alert(books)
        _, event = stream.events.get(timeout=PATIENCE)
        assert f'data-id="{one}"' in event["html"]
        assert meanwhile < one


def test_who_was_away_for_long_is_told_to_read_the_list(live, books, reader) -> None:
    with watching(live, reader) as stream:
        before = stream.place
    books.execute(MANY, (2_000_001, 2_002_001))
    with watching(live, reader, last=before) as stream:
        assert stream.events.get(timeout=PATIENCE)[0] == "gap"
        one = alert(books)
        assert stream.alerts(1) == [one]


def test_it_ends_with_the_session(live, database, books, session) -> None:
    token = session("monitor.read", actor="leaver")
    with watching(live, token) as stream:
        with psycopg.connect(database.auth) as cx:
            cx.execute("UPDATE auth.session SET expires_at = clock_timestamp() WHERE actor = 'leaver'")
        alert(books)
        assert stream.events.get(timeout=PATIENCE)[0] == "ended"
        assert stream.events.get(timeout=PATIENCE)[0] == "closed"


def test_a_lost_listener_listens_again(live, database, server, books, reader) -> None:
    def listener() -> int | None:
        with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
            row = cx.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'jincai alerts' AND datname = %s",
                (psycopg.conninfo.conninfo_to_dict(database.app)["dbname"],),
            ).fetchone()
            return row[0] if row else None

    with watching(live, reader) as stream:
        first = alert(books)
        assert stream.alerts(1) == [first]
        before = listener()
        with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
            cx.execute("SELECT pg_terminate_backend(%s)", (before,))
        ids = [alert(books) for _ in range(3)]
        assert stream.alerts(3) == ids
        assert listener() not in {None, before}
        assert stream.quiet()


def test_a_process_that_stops_does_not_wait_for_its_streams(database, reader) -> None:
    made = app.create(Settings(auth_database_url=database.auth), database.app, plugins.load())
    config = uvicorn.Config(made, log_config=None, ws="none")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        serving = web._Announcing(config, web.Address("127.0.0.1", port), made.state.platform, 0)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + PATIENCE
        while not serving.started and time.monotonic() < until:
            time.sleep(0.01)
        with watching(f"http://127.0.0.1:{port}", reader) as stream:
            serving.should_exit = True
            assert stream.events.get(timeout=PATIENCE)[0] == "closed"
            thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("wrong", ["1", "5:4:", "1:9:9", "4:9:3", "4:9:5,5", "x:y:", "0:1:", "1:2:3:4"])
def test_a_place_that_is_none_is_refused(clerk, wrong: str) -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": wrong}
    answer = clerk.get(STREAM, headers=headers)
    assert answer.status_code == 422
    assert "Last-Event-ID" in answer.json()["detail"]


def test_places() -> None:
    places = TypeAdapter(place.Place)
    for text in ("5:5:", "5:9:5,6,8"):
        assert places.validate_python(text) == text
    with pytest.raises(ValidationError):
        places.validate_python("9" * 9000)


def test_no_stream_of_events_without_asking_for_one(clerk) -> None:
    assert clerk.get(STREAM).status_code == 406


def test_one_person_opens_only_so_many() -> None:
    one = feed.Feed(None)  # type: ignore[arg-type] - only counts
    with ExitStack() as seats:
        for _ in range(feed.STREAMS_OF_ONE):
            one.refuse_if_full("x")
            seats.enter_context(one.seat("x"))
        with pytest.raises(feed.FullError) as full:
            one.refuse_if_full("x")
        assert full.value.own
        one.refuse_if_full("y")
    one.refuse_if_full("x")
