"""Loads the rules that a release ships; what is in force is a person's decision after the first time."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg

from jincai.errors import DataFileError
from jincai.monitoring.store import editions
from jincai.monitoring.store.editions import LOCK, LOCK_KEY, Place
from jincai.monitoring.store.versions import RULES_MOST, SOURCE_BYTES
from jincai.system import System

MAKER = "release"
PUBLISHER = "migrate"
REASON = "随平台发布"

# Every rule file begins so.
_BEGINS = re.compile(r"id: (R[1-9][0-9]{0,3})[ \t]*\r?$", re.MULTILINE)

_KNOWN = "SELECT rule, source, state FROM monitor.rule_version"
_FIRST = """
INSERT INTO monitor.rule_version (rule, version, source, state, made_by, published_by, published_at)
SELECT t.rule, 1, t.source, 'published', %s, %s, clock_timestamp()
  FROM unnest(%s::text[], %s::text[]) AS t (rule, source)
"""
# A person may begin a draft at the same moment: theirs stays, and ours comes with the next migration.
_DRAFT = """
INSERT INTO monitor.rule_version (rule, version, source, made_by)
SELECT t.rule,
       (SELECT coalesce(max(v.version), 0) + 1 FROM monitor.rule_version AS v WHERE v.rule = t.rule),
       t.source, %s
  FROM unnest(%s::text[], %s::text[]) AS t (rule, source)
    ON CONFLICT DO NOTHING
"""


def load(cx: psycopg.Connection, systems: Iterable[System]) -> dict[str, int]:
    """Bring the shipped rules into the database; table → rows added, nothing if all was there.

    Before there is any edition, rules that nobody knows yet are published and the first edition puts them in
    force. Later a rule that is new, or whose file says what none of its versions says, becomes a draft.

    Raises:
        DataFileError: a shipped file is damaged; names file and line.
    """
    installed = tuple(systems)
    shipped = dict(_shipped(installed))
    if not shipped:
        return {}
    cx.execute(LOCK, (LOCK_KEY,))
    rows = cx.execute(_KNOWN).fetchall()
    said = {(rule, source) for rule, source, _ in rows}
    ids, drafted = {rule for rule, _, _ in rows}, {rule for rule, _, state in rows if state == "draft"}
    new = {rule: source for rule, source in shipped.items() if (rule, source) not in said}
    _refuse_wrong(new, installed)
    first = cx.execute("SELECT FROM monitor.edition LIMIT 1").fetchone() is None
    done: dict[str, int] = {}
    if first:
        done = _put_in_force(cx, {rule: source for rule, source in new.items() if rule not in ids})
        new = {rule: source for rule, source in new.items() if rule in ids}
    waiting = {rule: source for rule, source in new.items() if rule not in drafted}
    if waiting:
        added = cx.execute(_DRAFT, (MAKER, list(waiting), list(waiting.values()))).rowcount
        done["monitor.rule_version"] = done.get("monitor.rule_version", 0) + added
    return {table: count for table, count in done.items() if count}


def _put_in_force(cx: psycopg.Connection, rules: dict[str, str]) -> dict[str, int]:
    if not rules:
        return {}
    cx.execute(_FIRST, (MAKER, PUBLISHER, list(rules), list(rules.values())))
    places = [Place(rule, 1, shadow=False) for rule in rules]
    sources = {(rule, 1): hashlib.sha256(source.encode()).digest() for rule, source in rules.items()}
    row = cx.execute(editions.MAKE, (editions.digest(places, sources), REASON, PUBLISHER)).fetchone()
    cx.execute(editions.FILL, (row[0] if row else 0, *editions.columns(places)))
    return {"monitor.rule_version": len(rules), "monitor.edition": 1}


def _shipped(systems: Iterable[System]) -> Iterator[tuple[str, str]]:
    """Id → text of every shipped rule."""
    where: dict[str, Path] = {}
    for path in (path for one in systems if one.rules for path in sorted(one.rules.glob("R*.yml"))):
        source = _text(path)
        begins = _BEGINS.match(source)
        if not begins:
            raise DataFileError(f"{path.name}, line 1: no rule's number", "Begin the file with: id: R1")
        rule = begins[1]
        if rule in where:
            raise DataFileError(
                f"{path.name}, line 1: {where[rule].name} is {rule} already", "Number one anew."
            )
        where[rule] = path
        yield rule, source
    if len(where) > RULES_MOST:
        raise DataFileError(f"{len(where)} rules are shipped", f"An edition holds {RULES_MOST} at most.")


def _text(path: Path) -> str:
    if (size := path.stat().st_size) > SOURCE_BYTES:
        raise DataFileError(f"{path.name} has {size} bytes", f"A rule has {SOURCE_BYTES} at most.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path.name}: byte {error.start} is no UTF-8", "Save it as UTF-8.") from error


def _refuse_wrong(rules: dict[str, str], systems: Iterable[System]) -> None:
    from jincai.monitoring.store import checking  # noqa: PLC0415 - most runs bring no rule: no parser for them

    known = checking.vocabularies(systems)
    for rule, source in rules.items():
        for one in checking.check(source, rule, known).mistakes:
            raise DataFileError(f"rule {rule}, line {one.line}: {one.en}", "The release is damaged.")
