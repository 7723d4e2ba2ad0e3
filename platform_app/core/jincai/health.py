"""Whether the platform can work: a primary that accepts writes, and a schema as the code expects it."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from jincai import freezing
from jincai.database import Database
from jincai.freezing import Freeze, Freezer

WITHIN_SECONDS = 2.0

_STATE = """
SELECT current_setting('server_version')                          AS server_version,
       NOT pg_is_in_recovery()
       AND current_setting('default_transaction_read_only') = 'off' AS primary,
       (SELECT count(*) FROM pg_stat_replication)                   AS standbys,
       (SELECT count(sync_state) FROM pg_stat_replication)          AS visible,
       (SELECT count(*) FROM pg_stat_replication
         WHERE sync_state IN ('sync', 'quorum'))                    AS synchronous
"""
# Per dist the newest of all, and the newest that took something away.
_SCHEMA = """
SELECT dist,
       (array_agg(name ORDER BY number DESC))[1] AS newest,
       (array_agg(name ORDER BY number DESC) FILTER (WHERE name LIKE '_____contract\\_%'))[1] AS contracted
  FROM jincai.migration
 GROUP BY dist
"""
_PENDING = """
SELECT expected.dist || ' ' || expected.name AS pending
  FROM unnest(%s::text[], %s::text[]) AS expected (dist, name)
 WHERE NOT EXISTS (SELECT FROM jincai.migration AS m
                    WHERE m.dist = expected.dist AND m.name = expected.name)
 ORDER BY 1
"""

# No record of migrations yet, or no grant to read it: `jincai migrate` gives both.
_NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege)


class DatabaseState(BaseModel):
    """The server that answers: ``primary`` means that it accepts writes."""

    model_config = ConfigDict(frozen=True)

    reachable: Literal[True] = True
    primary: bool
    server_version: str


class Health(BaseModel):
    """The document at `/healthz`.

    Attributes:
        status: ``ok``, or ``behind`` when migrations are due.
        database: the server that answers.
        protected: whether a synchronous standby holds every commit as well; null when the
            application's role may not see it.
        pending: migrations of the loaded code that the database lacks.
        frozen: whether payments are frozen; the platform is well all the same, and ``freeze`` says why.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "behind"]
    database: DatabaseState
    protected: bool | None
    pending: tuple[str, ...]
    frozen: bool
    freeze: Freeze | None


async def check(lane: Database, expected: dict[str, str], freezers: Iterable[Freezer] = ()) -> Health:
    """Ask the database how it is.

    Raises:
        DatabaseUnavailableError: no primary answered within two seconds.
    """
    state = await lane.read(_state, within=WITHIN_SECONDS)
    pending = await _pending(lane, expected)
    freeze = await freezing.look(lane, freezers)
    return Health(
        status="behind" if pending else "ok",
        database=DatabaseState(primary=state["primary"], server_version=state["server_version"]),
        protected=_protected(state["standbys"], state["visible"], state["synchronous"]),
        pending=pending,
        frozen=freeze is not None,
        freeze=freeze,
    )


# Code → the edition that was replaced last and may still come back; and editions that cannot, dist by dist.
_REPLACED = """
SELECT DISTINCT ON (code) code, from_dist
  FROM jincai.replacement
 WHERE confirmed_at IS NULL
 ORDER BY code, id DESC
"""
_RETIRED = "SELECT DISTINCT from_dist FROM jincai.replacement WHERE confirmed_at IS NOT NULL ORDER BY 1"


class Schema(NamedTuple):
    """What the schema is, as the running process finds it.

    Attributes:
        newest: dist → its newest applied migration.
        contracted: dist → its newest that took something away: no code from before that works.
        replaced: code → the edition that was replaced and may still come back.
        retired: editions whose tables are gone.
    """

    newest: dict[str, str]
    contracted: dict[str, str | None]
    replaced: dict[str, str]
    retired: tuple[str, ...]


NOTHING = Schema({}, {}, {}, ())


async def schema(lane: Database) -> Schema:
    """The schema now; `NOTHING` before the first migration.

    Raises:
        DatabaseUnavailableError: no primary answered within two seconds.
    """

    async def ask(cx: AsyncConnection) -> Schema:
        rows = await (await cx.execute(_SCHEMA)).fetchall()
        replaced = await (await cx.execute(_REPLACED)).fetchall()
        retired = await (await cx.execute(_RETIRED)).fetchall()
        return Schema(
            {dist: newest for dist, newest, _ in rows},
            {dist: contracted for dist, _, contracted in rows},
            dict(replaced),
            tuple(dist for (dist,) in retired),
        )

    try:
        return await lane.read(ask, within=WITHIN_SECONDS)
    except _NOT_MIGRATED:
        return NOTHING


async def _state(cx: AsyncConnection) -> dict[str, Any]:
    async with cx.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(_STATE)).fetchone()
    return row or {}


async def _pending(lane: Database, expected: dict[str, str]) -> tuple[str, ...]:
    async def ask(cx: AsyncConnection) -> tuple[str, ...]:
        rows = await (await cx.execute(_PENDING, (list(expected), list(expected.values())))).fetchall()
        return tuple(row[0] for row in rows)

    try:
        return await lane.read(ask, within=WITHIN_SECONDS)
    except _NOT_MIGRATED:
        return tuple(f"{dist} {name}" for dist, name in sorted(expected.items()))


def _protected(standbys: int, visible: int, synchronous: int) -> bool | None:
    """True, false, or None when there are standbys whose state this role may not see."""
    if synchronous:
        return True
    return None if standbys and not visible else False
