"""`jincai migrate`: brings the schemas, the shipped standards and the grants to what the code expects.

One advisory lock keeps a second run waiting; every migration is a transaction of its own together with
its record in ``jincai.migration``, so an interrupted run goes on where it stopped.

An upgrade expands first, while the former version still answers, and contracts later, when nobody wants it
back: `--expand` leaves contracting migrations for then. So an expansion never builds on a contraction of the
same release.
"""

import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import psycopg
from psycopg import pq
from pydantic import BaseModel, ConfigDict

from jincai import grants, migration_files, replacing
from jincai.errors import DatabaseUnavailableError, MigrationError
from jincai.migration_files import Migration
from jincai.monitoring.store import seed as rules
from jincai.settings import without_password
from jincai.standards import seed
from jincai.system import Grant, System

LOCK_KEY = 0x6A696E636169  # "jincai"
# How long a run waits for another run, and a statement for a table that someone else uses. Everybody who asks
# for that table later waits behind us, so we let them pass again and again.
LOCK_WAIT = "120s"
TABLE_WAIT = "1s"
TABLE_TRIES = 30
TABLE_PAUSE_SECONDS = 0.5
CONNECT_SECONDS = 5

PLATFORM_GRANTS = (
    Grant(table="jincai.migration", privileges=("SELECT",)),
    Grant(table="jincai.replacement", privileges=("SELECT",)),
    Grant(table="jincai.rollout_progress", privileges=("SELECT",)),
    Grant(table="standards.division", privileges=("SELECT",)),
    Grant(table="standards.edition", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    Grant(table="standards.code", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    Grant(table="standards.in_force", privileges=("SELECT",)),
    Grant(table="standards.edition_log", privileges=("SELECT", "INSERT")),
    Grant(table="hub.outbox", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.rule_version", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="monitor.edition", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.edition_rule", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.alert", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.unjudged", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="monitor.sweep", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="monitor.sweep_part", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="monitor.back_test", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    Grant(table="monitor.back_test_part", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    Grant(table="monitor.back_test_hit", privileges=("SELECT", "INSERT", "DELETE")),
    Grant(table="monitor.case_days", privileges=("SELECT",)),
    Grant(table="monitor.case_file", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="monitor.case_alert", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.case_event", privileges=("SELECT", "INSERT")),
    Grant(table="monitor.case_attachment", privileges=("SELECT", "INSERT")),
    Grant(table="hub.socket_push", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
)

# Of the role that people log in through, and of no other.
AUTH_GRANTS = (
    Grant(table="auth.account", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="auth.role_grant", privileges=("SELECT", "INSERT", "DELETE")),
    Grant(table="auth.api_key", privileges=("SELECT", "INSERT", "UPDATE")),
    Grant(table="auth.session", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    Grant(table="auth.change", privileges=("SELECT", "INSERT")),
    Grant(table="standards.division", privileges=("SELECT",)),
)

_RECORD = """
CREATE SCHEMA IF NOT EXISTS jincai;
CREATE TABLE IF NOT EXISTS jincai.migration (
    dist       text        NOT NULL,
    number     integer     NOT NULL CHECK (number > 0),
    name       text        NOT NULL,
    sha256     text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text        NOT NULL DEFAULT session_user,
    PRIMARY KEY (dist, number)
)
"""


class Applied(BaseModel):
    """One migration that a run applied."""

    model_config = ConfigDict(frozen=True)

    dist: str
    name: str


class Report(BaseModel):
    """What a run did.

    Attributes:
        applied: the migrations it applied, in order.
        already: how many it found applied.
        waiting: contracting migrations that it left for later.
        seeded: table → rows of shipped standards inserted or corrected, tables without change left out.
        granted: grants it gave, such as ``SELECT ON budget.indicator``.
        retired: schemas it removed, of editions that were replaced.
        changed: whether it changed anything at all.
    """

    model_config = ConfigDict(frozen=True)

    applied: tuple[Applied, ...]
    already: int
    waiting: tuple[Applied, ...]
    seeded: dict[str, int]
    granted: tuple[str, ...]
    retired: tuple[str, ...] = ()
    changed: bool


def run(
    url: str,
    systems: Sequence[System],
    app_role: str,
    wait_seconds: float = 0,
    auth_role: str = "jincai_auth",
    *,
    contract: bool = True,
) -> Report:
    """Migrate the database at ``url`` (as its schema owner) for the platform and ``systems``.

    Without ``contract``, contracting migrations of a dist that has data already are left for later.

    Raises:
        DatabaseUnavailableError: no primary answered within ``wait_seconds``, or it went away.
        MigrationError: a file was changed after it was applied, is misnamed, or fails.
    """
    wanted = _wanted(systems)
    with _connect(url, wait_seconds) as cx:
        try:
            return _run(cx, wanted, systems, (app_role, auth_role), contract=contract)
        except psycopg.Error as error:
            if cx.broken:
                raise _unavailable(url, error) from error
            raise MigrationError(
                str(error).strip(), "Migrate as the owner of the schemas; run again."
            ) from error


def newest(systems: Sequence[System]) -> dict[str, str]:
    """Dist → name of the newest migration that the installed code needs; contracting ones may come later."""
    return {one.dist: one.name for one in _wanted(systems) if not one.contracts}


def _wanted(systems: Sequence[System]) -> list[Migration]:
    return [*_platform(), *(one for system in systems for one in _of_system(system))]


def _run(
    cx: psycopg.Connection,
    wanted: Sequence[Migration],
    systems: Sequence[System],
    roles: tuple[str, str],
    *,
    contract: bool,
) -> Report:
    _take_lock(cx)
    with cx.transaction():
        cx.execute(_RECORD)
    applied = _applied(cx)
    _refuse_changes(wanted, applied)
    missing = [one for one in wanted if (one.dist, one.number) not in applied]
    known = {dist for dist, _ in applied}
    waiting = [one for one in missing if one.contracts and one.dist in known and not contract]
    due = [one for one in missing if one not in waiting]
    for migration in due:
        _apply(cx, migration)
    retired: list[str] = []
    if contract:
        with cx.transaction():
            retired = replacing.confirm(cx, systems)
    with cx.transaction():
        seeded = seed.load(cx)
        for system in systems:
            if system.seed:
                seeded |= system.seed(cx)
        seeded |= rules.load(cx, systems)
    with cx.transaction():
        wanted_grants = [*PLATFORM_GRANTS, *(grant for system in systems for grant in system.grants)]
        granted = grants.give(cx, roles[0], wanted_grants) + grants.give(cx, roles[1], AUTH_GRANTS)
    return Report(
        applied=tuple(Applied(dist=one.dist, name=one.name) for one in due),
        already=len(wanted) - len(missing),
        waiting=tuple(Applied(dist=one.dist, name=one.name) for one in waiting),
        seeded=seeded,
        granted=granted,
        retired=tuple(retired),
        changed=bool(due or seeded or granted or retired),
    )


def _platform() -> tuple[Migration, ...]:
    with resources.as_file(resources.files("jincai") / "migrations") as folder:
        return migration_files.read("jincai", folder)


def _of_system(system: System) -> tuple[Migration, ...]:
    return migration_files.read(system.dist, Path(system.migrations))


def _connect(url: str, wait_seconds: float) -> psycopg.Connection:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return _connect_once(url)
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline:
                raise _unavailable(url, error) from error
            time.sleep(0.5)


def _connect_once(url: str) -> psycopg.Connection:
    connection = psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="jincai migrate"
    )
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row and row[0]:
        connection.close()
        raise psycopg.OperationalError("the server is a standby and accepts no writes")
    return connection


def _take_lock(cx: psycopg.Connection) -> None:
    cx.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_WAIT,))
    try:
        cx.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
    except psycopg.errors.LockNotAvailable:
        raise MigrationError(
            f"another migration has held the lock for {LOCK_WAIT}",
            "SELECT * FROM pg_locks WHERE locktype = 'advisory' names the process that holds it.",
        ) from None
    cx.execute("SELECT set_config('lock_timeout', %s, false)", (TABLE_WAIT,))


def _applied(cx: psycopg.Connection) -> dict[tuple[str, int], tuple[str, str]]:
    """(dist, number) → (name, sha256) of everything ever applied."""
    rows = cx.execute("SELECT dist, number, name, sha256 FROM jincai.migration").fetchall()
    return {(dist, number): (name, sha256) for dist, number, name, sha256 in rows}


def _refuse_changes(wanted: Sequence[Migration], applied: dict[tuple[str, int], tuple[str, str]]) -> None:
    """Refuse a file that differs from what was applied under its number.

    Numbers that only the database knows are no error: after a rollback older code meets a newer schema,
    and every expansion leaves the older code working.
    """
    for one in wanted:
        recorded = applied.get((one.dist, one.number))
        if recorded and recorded != (one.name, one.sha256):
            raise MigrationError(
                f"{one.dist}: {one.name}.sql differs from {recorded[0]}.sql, which this database has applied",
                "An applied migration never changes: restore the file and add a new number.",
            )


def _apply(cx: psycopg.Connection, migration: Migration) -> None:
    for _ in range(TABLE_TRIES - 1):
        try:
            return _apply_once(cx, migration)
        except psycopg.errors.LockNotAvailable:
            time.sleep(TABLE_PAUSE_SECONDS)
    return _apply_once(cx, migration)


def _apply_once(cx: psycopg.Connection, migration: Migration) -> None:
    where = f"{migration.dist}: {migration.name}.sql"
    try:
        with cx.transaction():
            # The text of our own file is the statement; sent without parameters, it may hold several.
            cx.execute(migration.sql.encode())
            if cx.info.transaction_status != pq.TransactionStatus.INTRANS:
                raise MigrationError(f"{where} ends the transaction it runs in", "Remove BEGIN and COMMIT.")
            cx.execute(
                "INSERT INTO jincai.migration (dist, number, name, sha256) VALUES (%s, %s, %s, %s)",
                (migration.dist, migration.number, migration.name, migration.sha256),
            )
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        if cx.broken:
            raise
        raise MigrationError(
            f"{where}, line {_line(migration, error)}: {error}", "Nothing of it was applied."
        ) from error


def _line(migration: Migration, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    return str(migration.sql[: int(position)].count("\n") + 1) if position else "?"


def _unavailable(url: str, error: psycopg.Error) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"no database accepts writes at {without_password(url)}: {str(error).strip()}",
        "Check the address and that a primary runs, or give --wait SECONDS.",
    )
