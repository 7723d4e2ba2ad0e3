"""Brings a file's tables into a draft: all of it, or, with any mistake in it, nothing."""

import asyncio
import json
from collections import defaultdict
from typing import Literal

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.standards import code_check, drafting
from jincai.standards.code_check import Present
from jincai.standards.code_file import Tables
from jincai.standards.drafting import PATIENCE, Locked
from jincai.standards.editions import RefusedError
from jincai.standards.mistakes import Mistakes

Mode = Literal["merge", "replace"]

_PRESENT = """
SELECT element, code, parent FROM standards.code
 WHERE fiscal_year = %s AND edition = %s AND element = ANY (%s)
"""
_DIVISIONS = """
SELECT code FROM standards.division
 WHERE %s BETWEEN valid_from_year AND coalesce(valid_to_year, 9999)
"""
_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS importing (
    element text, code text, name text, parent text, attributes jsonb
) ON COMMIT DELETE ROWS
"""
_COUNT = """
SELECT count(*) FILTER (WHERE c.code IS NULL),
       count(*) FILTER (WHERE c.code IS NOT NULL
                          AND (c.name, c.parent, c.attributes)
                              IS DISTINCT FROM (i.name, i.parent, i.attributes))
  FROM pg_temp.importing AS i
  LEFT JOIN standards.code AS c
    ON (c.fiscal_year, c.edition, c.element, c.code) = (%s, %s, i.element, i.code)
"""
_REMOVE = """
DELETE FROM standards.code AS c
 WHERE c.fiscal_year = %s AND c.edition = %s AND c.element = ANY (%s)
   AND NOT EXISTS (SELECT FROM pg_temp.importing AS i WHERE (i.element, i.code) = (c.element, c.code))
"""
_WRITE = """
INSERT INTO standards.code AS c (fiscal_year, edition, element, code, name, parent, attributes)
SELECT %s, %s, i.element, i.code, i.name, i.parent, i.attributes FROM pg_temp.importing AS i
    ON CONFLICT (fiscal_year, edition, element, code) DO UPDATE
   SET name = excluded.name, parent = excluded.parent, attributes = excluded.attributes
 WHERE (c.name, c.parent, c.attributes) IS DISTINCT FROM (excluded.name, excluded.parent, excluded.attributes)
"""
_CHILDREN = """
SELECT count(*), min(code) FROM standards.code
 WHERE fiscal_year = %(year)s AND edition = %(number)s AND element = %(element)s AND parent = %(code)s
"""
_MAPPED = """
SELECT count(*) FROM standards.code
 WHERE fiscal_year = %(year)s AND edition = %(number)s AND element = 'account_map' AND code = %(code)s
"""
_DELETE = """
DELETE FROM standards.code
 WHERE fiscal_year = %(year)s AND edition = %(number)s AND element = %(element)s AND code = %(code)s
"""


class Imported(BaseModel):
    """What an import did to the draft; ``revision`` is the draft's after it."""

    model_config = ConfigDict(frozen=True)

    fiscal_year: int
    number: int
    revision: int
    added: int
    changed: int
    removed: int
    unchanged: int


class MistakenError(Exception):
    """The file holds mistakes; nothing was changed."""

    def __init__(self, mistakes: Mistakes) -> None:
        super().__init__(f"{mistakes.count} mistakes")
        self.mistakes = mistakes


async def apply(cx: AsyncConnection, year: int, tables: Tables, mode: Mode, actor: str) -> Imported:
    """Bring ``tables`` into the draft of ``year``; ``replace`` removes of their elements what is not in them.

    Raises:
        MistakenError: parents, divisions or accounts are missing, or a code stands there twice.
        RefusedError: 404, there is no draft.
    """
    edition = await drafting.lock_draft(cx, year)
    present = await _present(cx, edition, tables)
    mistakes = Mistakes()
    await asyncio.to_thread(code_check.check, tables, present, mistakes, replace=mode == "replace")
    if mistakes.count:
        raise MistakenError(mistakes)
    await cx.execute(PATIENCE)
    await _stage(cx, tables)
    place = (year, edition.number)
    counted = await (await cx.execute(_COUNT, place)).fetchone()
    added, changed = counted or (0, 0)
    removed = 0
    if mode == "replace":
        removed = (await cx.execute(_REMOVE, (*place, list(tables)))).rowcount
    await cx.execute(_WRITE, place)
    revision = edition.revision
    if added or changed or removed:
        revision = await drafting.touched(cx, edition, actor)
        detail: dict[str, object] = {
            "elements": sorted(tables), "mode": mode, "added": added, "changed": changed, "removed": removed
        }  # fmt: skip
        await drafting.log(cx, (year, edition.number), "imported", actor, detail)
    unchanged = sum(map(len, tables.values())) - added - changed
    return Imported(
        fiscal_year=year,
        number=edition.number,
        revision=revision,
        added=added,
        changed=changed,
        removed=removed,
        unchanged=unchanged,
    )


async def _present(cx: AsyncConnection, edition: Locked, tables: Tables) -> Present:
    wanted = {*tables, *(("account", "account_map") if {"account", "account_map"} & set(tables) else ())}
    parents: dict[str, dict[str, str | None]] = defaultdict(dict)
    rows = await cx.execute(_PRESENT, (edition.fiscal_year, edition.number, sorted(wanted)))
    for element, code, parent in await rows.fetchall():
        parents[element][code] = parent
    divisions = await (await cx.execute(_DIVISIONS, (edition.fiscal_year,))).fetchall()
    return Present(parents, frozenset(row[0] for row in divisions))


async def _stage(cx: AsyncConnection, tables: Tables) -> None:
    await cx.execute(_STAGE)
    async with cx.cursor() as cursor, cursor.copy("COPY pg_temp.importing FROM STDIN") as copy:
        for element, rows in tables.items():
            for one in rows:
                attributes = json.dumps(dict(one.attributes), ensure_ascii=False)
                await copy.write_row((element, one.code, one.name, one.parent, attributes))
    await cx.execute("ANALYZE pg_temp.importing")


async def delete(cx: AsyncConnection, year: int, element: str, code: str, actor: str) -> int:
    """Take one code out of the draft of ``year``; the draft's new revision.

    Raises:
        RefusedError: 404, there is no draft or no such code; 409, others depend on it.
    """
    edition = await drafting.lock_draft(cx, year)
    given = {"year": year, "number": edition.number, "element": element, "code": code}
    children = await (await cx.execute(_CHILDREN, given)).fetchone()
    if children and children[0]:
        zh = f"{code} 下还有{children[0]}个代码(如 {children[1]}),请先删除。"
        en = f"{children[0]} codes stand below {code}, such as {children[1]}: delete those first."
        raise RefusedError(409, zh, en)
    if element == "account":
        mapped = await (await cx.execute(_MAPPED, given)).fetchone()
        if mapped and mapped[0]:
            zh, en = f"科目对照仍使用 {code},请先删除。", f"account_map still has {code}: delete that first."
            raise RefusedError(409, zh, en)
    if not (await cx.execute(_DELETE, given)).rowcount:
        zh, en = f"草案中没有 {element} {code}。", f"The draft has no {element} {code}."
        raise RefusedError(404, zh, en)
    revision = await drafting.touched(cx, edition, actor)
    await drafting.log(cx, (year, edition.number), "deleted", actor, {"element": element, "code": code})
    return revision
