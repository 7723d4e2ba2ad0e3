"""A real PostgreSQL for every test here: the embedded 18, and Debian's 15 where it is installed.

One server per version and session, one database per test module, cut from a migrated template.
"""

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest
import uvicorn
from fastapi.testclient import TestClient
from jincai import app, embedded, migrate, plugins
from jincai.auth import sessions
from jincai.auth.roles import PERMISSIONS
from jincai.embedded import Server
from jincai.settings import Settings
from psycopg import sql

APP_ROLE = "jincai_app"
AUTH_ROLE = "jincai_auth"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
FAST = {"fsync": "off", "shared_buffers": "32MB", "max_connections": "60"}
Serving = Callable[..., AbstractContextManager[TestClient]]
Session = Callable[..., str]
Frozen = Callable[[Server], AbstractContextManager[None]]
_numbers = count(1)


@contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="jincai-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, with a path short enough for a socket."""
    with _home() as home:
        yield home


@contextmanager
def _frozen(server: Server) -> Iterator[None]:
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    pids = [postmaster, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def frozen() -> Frozen:
    """Makes every process of a server stand still, as if the machine hung: sockets stay open."""
    return _frozen


@pytest.fixture(scope="session", params=["embedded-18", "debian-15"])
def binaries(request: pytest.FixtureRequest) -> Path:
    if request.param == "embedded-18":
        return embedded.find_binaries()
    if not DEBIAN.exists():
        missing = f"{DEBIAN} is missing: apt-get install postgresql-15"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return DEBIAN


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[Path], Server]]:
    """Starts the server of a version when it is first asked for, and keeps it for the next file."""
    with ExitStack() as running:

        @cache
        def started(binaries: Path) -> Server:
            server = Server(binaries, running.enter_context(_home()), FAST)
            server.start()
            running.callback(server.stop, "immediate")
            embedded.prepare(server, APP_ROLE, AUTH_ROLE)
            migrate.run(server.url(user=embedded.OWNER), plugins.load(), APP_ROLE)
            return server

        yield started


@pytest.fixture(scope="session")
def server(servers: Callable[[Path], Server], binaries: Path) -> Server:
    return servers(binaries)


@dataclass(frozen=True)
class Urls:
    """The addresses of one database: of its owner, of the application and of its log-in."""

    owner: str
    app: str
    auth: str


@contextmanager
def new_database(server: Server, template: str = embedded.DATABASE) -> Iterator[Urls]:
    """A database cut from ``template``: by default the migrated one."""
    name = f"test{next(_numbers)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
        cx.execute(create.format(*(sql.Identifier(word) for word in (name, template, embedded.OWNER))))
    yield Urls(*(server.url(name, role) for role in (embedded.OWNER, APP_ROLE, AUTH_ROLE)))
    with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
        cx.execute(drop.format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Urls]:
    """A migrated database of the module's own."""
    with new_database(server) as urls:
        yield urls


@pytest.fixture
def empty_database(server: Server) -> Iterator[Urls]:
    """A database that nothing was ever migrated in."""
    with new_database(server, "template0") as urls:
        yield urls


@contextmanager
def _serving(url: str, **settings: object) -> Iterator[TestClient]:
    made = app.create(Settings.model_validate(settings), url, plugins.load())
    with TestClient(made, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Makes the real application on a URL, asked in this process."""
    return _serving


@pytest.fixture(scope="module")
def client(database: Urls) -> Iterator[TestClient]:
    """The application, asked by nobody in particular."""
    with _serving(database.app, auth_database_url=database.auth) as client:
        yield client


@contextmanager
def _live(url: str, **settings: object) -> Iterator[str]:
    made = app.create(Settings.model_validate(settings), url, plugins.load())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(made, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def live(database: Urls) -> Iterator[str]:
    """The application behind a real socket; its URL."""
    with _live(database.app, auth_database_url=database.auth) as url:
        yield url


@pytest.fixture(scope="module")
def session(database: Urls) -> Session:
    """Opens a session with permissions, in divisions and for units (None: all); gives its token."""

    def opened(
        *permissions: str,
        divisions: Sequence[str] | None = None,
        agencies: Sequence[str] | None = None,
        actor: str = "test",
        seconds: float = 3600,
    ) -> str:
        with psycopg.connect(database.auth) as cx:
            return sessions.open_for_process(
                cx, actor, permissions, seconds, divisions=divisions, agencies=agencies
            )

    return opened


@pytest.fixture(scope="module")
def clerk(database: Urls, session: Session) -> Iterator[TestClient]:
    """The application, asked with a token that may do everything everywhere."""
    with _serving(database.app, auth_database_url=database.auth) as client:
        client.headers["Authorization"] = f"Bearer {session(*PERMISSIONS)}"
        yield client
