"""`jincai hand-over` and `jincai take-over`: one edition of a system gives all it holds to another.

The former edition runs from its own release, writes standard documents as lines of JSON, and says at the end
how many and with which digest; the new one stores them in one transaction, all or none. It is done twice:
before the switch, so that the new edition starts with everything, and after it, for what came meanwhile.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, TypeVar

import psycopg
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jincai.errors import ConfigurationError, MigrationError
from jincai.system import CODE, DIST, HandedOver, System

T = TypeVar("T", bound=BaseModel)

BATCH = 1_000
LINE_MOST_BYTES = 1 << 20
DOCUMENTS_MOST = 50_000_000


class Head(BaseModel):
    """First line: who hands over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=CODE)
    dist: str = Field(pattern=DIST)
    version: str = Field(max_length=64)
    schemas: tuple[str, ...]


class Tail(BaseModel):
    """Last line: how many documents there were, and the SHA-256 over their lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: int
    sha256: str


def hand_over(url: str, system: System, out: IO[str]) -> int:
    """Writes everything that ``system`` holds, as of one moment; how many documents.

    Raises:
        ConfigurationError: this edition cannot.
    """
    if system.hand_over is None:
        raise ConfigurationError(
            f"{system.dist} {system.version} cannot hand over", "Its data stay where they are; ask its maker."
        )
    head = Head(code=system.code, dist=system.dist, version=system.version, schemas=system.schemas)
    out.write(head.model_dump_json() + "\n")
    digest, count = hashlib.sha256(), 0
    with psycopg.connect(url, application_name="jincai hand-over") as cx:
        cx.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for one in system.hand_over(cx):
            line = one.model_dump_json() + "\n"
            digest.update(line.encode())
            out.write(line)
            count += 1
    out.write(Tail(documents=count, sha256=digest.hexdigest()).model_dump_json() + "\n")
    return count


def take_over(
    url: str, system: System, lines: IO[str], release: str, *, settle: bool = False
) -> tuple[int, int]:
    """Stores what another edition hands over; how many documents came and how many changed something.

    Args:
        url: of the schema's owner.
        system: the edition that takes over.
        lines: what `hand_over` wrote.
        release: the former edition's release, as ``2026.1-3``: where to find it for the second time.
        settle: this was the second time.

    Raises:
        ConfigurationError: this edition cannot, or the lines are for another system.
        MigrationError: the lines are damaged or cut off; nothing was stored.
    """
    if system.take_over is None:
        raise ConfigurationError(f"{system.dist} {system.version} cannot take over", "Ask its maker.")
    head = _parsed(Head, _line(lines))
    if head.code != system.code or head.dist == system.dist:
        raise ConfigurationError(f"{head.dist} of {head.code} hands over to {system.dist} of {system.code}")
    with psycopg.connect(url, application_name="jincai take-over") as cx:
        reading = _Reading(lines)
        changed = 0
        documents = iter(reading)
        while batch := list(islice(documents, BATCH)):
            changed += system.take_over(cx, batch)
        _note(cx, head, system, reading.tail, release, settle=settle)
        return reading.tail.documents, changed


def confirm(cx: psycopg.Connection, systems: Sequence[System]) -> list[str]:
    """Removes the schemas of editions that were replaced for good, in the caller's transaction."""
    running = {system.code: system for system in systems}
    rows = cx.execute(
        """
        SELECT DISTINCT ON (code) code, from_dist, from_schemas
          FROM jincai.replacement WHERE confirmed_at IS NULL ORDER BY code, id DESC
        """
    ).fetchall()
    gone = []
    for code, dist, schemas in rows:
        system = running.get(code)
        if system is None or system.dist == dist:
            continue  # it was rolled back: the edition that runs keeps what it has
        for schema in schemas:
            if schema not in system.schemas:
                cx.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
                gone.append(schema)
        cx.execute("DELETE FROM jincai.migration WHERE dist = %s", (dist,))
        cx.execute(
            "UPDATE jincai.replacement SET confirmed_at = clock_timestamp(), "
            "settled_at = coalesce(settled_at, clock_timestamp()) WHERE code = %s AND confirmed_at IS NULL",
            (code,),
        )
    return gone


class _Reading:
    """The documents of the lines; ``tail`` once they have all been read and agree with it."""

    tail: Tail

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[HandedOver]:
        digest, count = hashlib.sha256(), 0
        while count <= DOCUMENTS_MOST:
            line = _line(self._lines)
            if line.startswith('{"documents":'):
                self.tail = _parsed(Tail, line)
                if (self.tail.documents, self.tail.sha256) != (count, digest.hexdigest()):
                    raise MigrationError(f"{count} documents came, not what was handed over", "Run it again.")
                return
            digest.update(line.encode())
            count += 1
            yield _parsed(HandedOver, line)
        raise MigrationError(f"more than {DOCUMENTS_MOST} documents")


def _line(lines: IO[str]) -> str:
    line = lines.readline(LINE_MOST_BYTES)
    if not line.endswith("\n"):
        raise MigrationError("what was handed over is cut off", "Nothing was stored; run it again.")
    return line


def _parsed(kind: type[T], line: str) -> T:
    try:
        return kind.model_validate(json.loads(line))
    except (ValueError, ValidationError) as error:
        raise MigrationError(f"not a line of a hand-over: {line[:80]!r}: {error}") from error


_NOTE = """
INSERT INTO jincai.replacement (code, from_dist, from_version, from_release, from_schemas,
                                to_dist, to_version, documents, sha256, settled_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)
"""
_AGAIN = """
UPDATE jincai.replacement
   SET documents = %s, sha256 = %s, settled_at = CASE WHEN %s THEN clock_timestamp() END
 WHERE code = %s AND from_dist = %s AND to_dist = %s AND settled_at IS NULL
"""


def _note(
    cx: psycopg.Connection, head: Head, system: System, tail: Tail, release: str, *, settle: bool
) -> None:
    # Going back before it was settled ends the one that was under way.
    cx.execute(
        "UPDATE jincai.replacement SET settled_at = clock_timestamp() "
        "WHERE code = %s AND settled_at IS NULL AND (from_dist, to_dist) <> (%s, %s)",
        (head.code, head.dist, system.dist),
    )
    again = cx.execute(_AGAIN, (tail.documents, tail.sha256, settle, head.code, head.dist, system.dist))
    if not again.rowcount:
        given = (head.code, head.dist, head.version, release, list(head.schemas), system.dist, system.version)
        cx.execute(_NOTE, (*given, tail.documents, tail.sha256, settle))
