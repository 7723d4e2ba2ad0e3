"""What the application role may do: given table by table, so that it cannot do more than it needs."""

from collections.abc import Iterable
from typing import LiteralString

import psycopg
from psycopg import sql

from jincai.system import Grant, Privilege


def give(cx: psycopg.Connection, role: str, wanted: Iterable[Grant]) -> tuple[str, ...]:
    """Give ``role`` what it lacks of ``wanted``, and say what that was; nothing if there is no such role."""
    if not cx.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
        return ()
    given: list[str] = []
    for grant in wanted:
        schema, _, table = grant.table.partition(".")
        if not _holds(cx, "SELECT has_schema_privilege(%s, %s, 'USAGE')", role, schema):
            cx.execute(
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), sql.Identifier(role))
            )
            given.append(f"USAGE ON SCHEMA {schema}")
        given.extend(_give(cx, role, grant.table, sql.Identifier(schema, table), grant.privileges))
    return tuple(given)


def _give(
    cx: psycopg.Connection, role: str, name: str, table: sql.Identifier, privileges: Iterable[Privilege]
) -> list[str]:
    given: list[str] = []
    for privilege in privileges:
        kind: LiteralString = "sequence" if privilege == "USAGE" else "table"
        if not _holds(cx, f"SELECT has_{kind}_privilege(%s, %s, %s)", role, name, privilege):
            cx.execute(
                sql.SQL("GRANT {} ON {} {} TO {}").format(
                    sql.SQL(privilege), sql.SQL(kind), table, sql.Identifier(role)
                )
            )
            given.append(f"{privilege} ON {name}")
    return given


def _holds(cx: psycopg.Connection, question: LiteralString, *arguments: str) -> bool:
    row = cx.execute(question, arguments).fetchone()
    return bool(row and row[0])
