"""The chart of accounts (会计科目) and the names of items of a year, from the edition in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import AsyncConnection

Kind = Literal["asset", "liability", "net", "revenue", "expenditure"]
KINDS: tuple[Kind, ...] = ("asset", "liability", "net", "revenue", "expenditure")

_OF_ELEMENT = """
SELECT c.code, c.name, c.attributes
  FROM standards.in_force AS f
  JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
 WHERE f.fiscal_year = %s AND c.element = ANY (%s) AND (%s::text[] IS NULL OR c.code = ANY (%s))
"""
# An item is a class of expenditure or of revenue.
_ITEMS = ["exp_func", "revenue"]


@dataclass(frozen=True, slots=True)
class Account:
    """One account: ``kind`` as in `KINDS` (None if the edition does not say), side it grows on."""

    code: str
    name: str
    kind: Kind | None
    side: Literal["debit", "credit"] | None


async def accounts(cx: AsyncConnection, fiscal_year: int) -> dict[str, Account]:
    """Code → account; empty without a published edition."""
    rows = await _rows(cx, fiscal_year, ["account"])
    return {
        code: Account(code, name, attributes.get("kind"), attributes.get("side"))
        for code, name, attributes in rows
    }


async def account_map(cx: AsyncConnection, fiscal_year: int) -> dict[str, str]:
    """科目对照: account of the year's chart → the account of another chart that it stands for."""
    rows = await _rows(cx, fiscal_year, ["account_map"])
    return {code: attributes["target"] for code, _, attributes in rows if attributes.get("target")}


async def item_names(
    cx: AsyncConnection, fiscal_year: int, codes: Iterable[str] | None = None
) -> dict[str, str]:
    """Code → name of classes of expenditure and of revenue: of ``codes``, or of all."""
    return {code: name for code, name, _ in await _rows(cx, fiscal_year, _ITEMS, codes)}


async def agency_names(cx: AsyncConnection, fiscal_year: int, codes: Iterable[str]) -> dict[str, str]:
    """Code → name of the budget units among ``codes``."""
    return {code: name for code, name, _ in await _rows(cx, fiscal_year, ["agency"], codes)}


def account_names(known: Mapping[str, Account]) -> dict[str, str]:
    """Code → name."""
    return {code: account.name for code, account in known.items()}


def listed(codes: Iterable[str], most: int = 10) -> str:
    """Codes for a message: the first few, and that there are more."""
    every = sorted(set(codes))
    return "、".join(every[:most]) + (" …" if len(every) > most else "")


async def _rows(
    cx: AsyncConnection, fiscal_year: int, elements: list[str], codes: Iterable[str] | None = None
) -> list[tuple[str, str, dict[str, Any]]]:
    wanted = None if codes is None else sorted(set(codes))
    return await (await cx.execute(_OF_ELEMENT, (fiscal_year, elements, wanted, wanted))).fetchall()
