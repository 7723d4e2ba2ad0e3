"""结转规则: which surplus account closes which; shipped as data, and a site's own rows stay."""

import csv
from collections.abc import Iterable, Mapping
from importlib import resources

import psycopg
from psycopg import AsyncConnection

_LOAD = """
INSERT INTO ledger.closing_rule (account, valid_from_year, valid_to_year, surplus_account)
SELECT * FROM unnest(%s::text[], %s::smallint[], %s::smallint[], %s::text[])
    ON CONFLICT (account, valid_from_year) DO NOTHING
"""
_OF_YEAR = """
SELECT account, surplus_account FROM ledger.closing_rule WHERE %s BETWEEN valid_from_year AND valid_to_year
"""


def shipped() -> list[tuple[str, int, int, str]]:
    """The rows in the package's own data file: account, years inclusive, surplus account."""
    file = resources.files("jincai_ledger") / "data" / "closing_rules.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return [
        (row["account"], int(row["valid_from_year"]), int(row["valid_to_year"]), row["surplus_account"])
        for row in rows
    ]


def load(cx: psycopg.Connection) -> dict[str, int]:
    """Insert the shipped rules that are not there yet; table → rows inserted."""
    columns = [list(column) for column in zip(*shipped(), strict=True)]
    added = cx.execute(_LOAD, columns).rowcount
    return {"ledger.closing_rule": added} if added else {}


async def of_year(cx: AsyncConnection, fiscal_year: int) -> dict[str, str]:
    """The rules of a year: beginning of an account's code → surplus account."""
    return dict(await (await cx.execute(_OF_YEAR, (fiscal_year,))).fetchall())


def surplus_of(account: str, rules: Mapping[str, str]) -> str | None:
    """The surplus account of ``account`` by the longest rule that fits, or None."""
    fitting: Iterable[str] = (start for start in rules if account.startswith(start))
    longest = max(fitting, key=len, default=None)
    return None if longest is None else rules[longest]
