"""What is done with entries: they are added, all of a batch or none, and closed by a date; never changed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from jincai.auth.principal import Principal
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from jincai_payment.desk import DeskError
from jincai_payment.registers.entry import Entry, Kept
from jincai_payment.registers.register import Register

# Keys of the entries among themselves and with those kept, compared as PostgreSQL does.
_COMPARE = """
SELECT g.n, min(g.n) OVER (PARTITION BY {given_key}), k.id, {same}, d.code IS NOT NULL,
       ((SELECT auth.sees_all()) OR g.division = ANY ((SELECT auth.divisions())::text[]))
       AND ((SELECT auth.agencies()) IS NULL OR g.agency_code = ANY ((SELECT auth.agencies())::text[]))
  FROM unnest({arrays}) WITH ORDINALITY AS g ({fields}, n)
  LEFT JOIN payment.{table} AS k ON ({kept_key}) = ({given_key})
  LEFT JOIN LATERAL (SELECT code FROM standards.division WHERE code = g.division LIMIT 1) AS d ON true
 ORDER BY g.n
"""
_ADD = """
INSERT INTO payment.{table} ({fields}, made_by)
SELECT {fields}, %(actor)s FROM unnest({arrays}) WITH ORDINALITY AS g ({fields}, n) ORDER BY n
RETURNING id
"""
_READ = "SELECT {fields}, id, made_by, made_at FROM payment.{table} WHERE id = %(id)s"
_CLOSE = """
UPDATE payment.{table}
   SET valid_to = %(valid_to)s, closed_by = %(actor)s, closed_at = statement_timestamp()
 WHERE id = %(id)s
"""


class Added(BaseModel):
    """What adding entries did: how many are new, and how many stood there already just so."""

    model_config = ConfigDict(frozen=True)

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """What only the database could tell of an entry: its place among those asked, from 0, and which field."""

    place: int
    field: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How entries stand to those kept: what is wrong with them; each one's id, if it is there already."""

    wrong: Sequence[Wrong]
    ids: Sequence[int | None]


async def add(
    cx: AsyncConnection, principal: Principal, register: Register, entries: Sequence[Entry]
) -> tuple[Compared, list[int]]:
    """Add those of ``entries`` that are not there yet; with anything wrong, none. The ids of new ones.

    Raises:
        DeskError: 409, somebody else adds one of them at this moment.
    """
    found = await _compare(cx, register, entries)
    fresh = [one for one, kept in zip(entries, found.ids, strict=True) if kept is None]
    if found.wrong or not fresh:
        return found, []
    try:
        query = sql.SQL(_ADD).format(**_parts(register))
        asked = {**_columns(register, fresh), "actor": principal.actor}
        return found, [row[0] for row in await (await cx.execute(query, asked)).fetchall()]
    except psycopg.errors.UniqueViolation as error:
        raise DeskError(
            409,
            "他人刚刚登记了同样的内容,请重新提交。",
            "Somebody has just entered the same: submit it again.",
        ) from error


async def add_one(cx: AsyncConnection, principal: Principal, register: Register, entry: Entry) -> Kept:
    """Add one entry; asked again, it is answered the same.

    Raises:
        DeskError: 403, it is beyond what the principal may see; 409, another stands under its key; 422.
    """
    found, made = await add(cx, principal, register, [entry])
    if found.wrong:
        first = found.wrong[0]
        raise DeskError(409 if first.field == "" else 422, first.zh, first.en, first.field)
    kept = found.ids[0] or made[0]
    return await read(cx, register, kept)


async def read(cx: AsyncConnection, register: Register, number: int) -> Kept:
    """One entry.

    Raises:
        DeskError: 404, there is none that this session may see.
    """
    query = sql.SQL(_READ).format(**_parts(register))
    async with cx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, {"id": number})
        row = await cursor.fetchone()
    if row is None:
        zh, en = register.title
        raise DeskError(404, f"{zh}中没有编号 {number}。", f"{en}: there is no entry {number}.")
    return register.kept.model_validate(row)


async def close(cx: AsyncConnection, register: Register, number: int, valid_to: dt.date, actor: str) -> Kept:
    """Close an entry: ``valid_to`` is its last day. Closed so already, it is answered the same.

    Raises:
        DeskError: 404, there is none; 409, it was closed by another date; 422, it began later.
    """
    await cx.execute(
        sql.SQL("SELECT FROM payment.{table} WHERE id = %(id)s FOR NO KEY UPDATE").format(**_parts(register)),
        {"id": number},
    )
    found = await read(cx, register, number)
    if found.valid_to == valid_to:
        return found
    if found.valid_to is not None:
        raise DeskError(
            409,
            f"编号 {number} 已于 {found.valid_to} 截止,不能再改。请另行登记。",
            f"Entry {number} is closed by {found.valid_to} and cannot be changed: enter another.",
        )
    if valid_to < found.valid_from:
        raise DeskError(422, *_before(found.valid_from), "valid_to")
    query = sql.SQL(_CLOSE).format(**_parts(register))
    await cx.execute(query, {"id": number, "valid_to": valid_to, "actor": actor})
    return await read(cx, register, number)


async def _compare(cx: AsyncConnection, register: Register, entries: Sequence[Entry]) -> Compared:
    query = sql.SQL(_COMPARE).format(**_parts(register))
    rows = await (await cx.execute(query, _columns(register, entries))).fetchall()
    wrong: list[Wrong] = []
    for place, (_, first, kept, same, division, allowed) in enumerate(rows):
        one = entries[place]
        if one.valid_to is not None and one.valid_to < one.valid_from:
            wrong.append(Wrong(place, "valid_to", *_before(one.valid_from)))
        if not division:
            zh, en = f"没有区划 {one.division}", f"there is no division {one.division}"
            wrong.append(Wrong(place, "division", zh, en))
        elif not allowed:
            zh, en = "不在您的区划、单位范围之内", "is beyond your divisions and units"
            wrong.append(Wrong(place, "agency_code", zh, en))
        elif first != place + 1:
            zh, en = f"与第 {first} 条重复", f"repeats entry {first} of these"
            wrong.append(Wrong(place, "", zh, en))
        elif kept is not None and not same:
            zh = f"与已登记的编号 {kept} 相同而内容有别。请先将其截止,再以另一生效日期登记。"
            en = f"Entry {kept} is the same with other contents: close it, then enter this from another day."
            wrong.append(Wrong(place, "", zh, en))
    return Compared(wrong, [row[2] for row in rows])


def _before(valid_from: dt.date) -> tuple[str, str]:
    return f"不能早于生效日期 {valid_from}", f"must not be before {valid_from}, from when it holds"


def _parts(register: Register) -> dict[str, sql.Composable]:
    names = list(register.fields)
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    arrays = sql.SQL(", ").join(
        sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(register.type_of(name))) for name in names
    )
    same = sql.SQL("({}) IS NOT DISTINCT FROM ({})").format(
        *(sql.SQL(", ").join(sql.Identifier(of, name) for name in names) for of in ("k", "g"))
    )
    return {
        "table": sql.Identifier(register.table),
        "fields": listed,
        "arrays": arrays,
        "same": same,
        "given_key": sql.SQL(", ").join(_given(register, one) for one in register.once),
        "kept_key": sql.SQL(", ").join(sql.Identifier("k", one) for one in register.once),
    }


def _given(register: Register, column: str) -> sql.Composable:
    if column != "account_key":
        return sql.Identifier("g", column)
    return sql.SQL("payment.plain({})").format(sql.Identifier("g", register.account))


def _columns(register: Register, entries: Sequence[Entry]) -> dict[str, list[object]]:
    return {name: [getattr(one, name) for one in entries] for name in register.fields}
