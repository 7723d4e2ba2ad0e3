"""分录模板: which two accounts an event books; shipped as data, and a site's own rows stay."""

import csv
from importlib import resources

import psycopg

_LOAD = """
INSERT INTO ledger.posting_rule
       (event, fund_type_code, valid_from_year, valid_to_year, debit_account, credit_account)
SELECT * FROM unnest(%s::text[], %s::text[], %s::smallint[], %s::smallint[], %s::text[], %s::text[])
    ON CONFLICT (event, fund_type_code, valid_from_year) DO NOTHING
"""


def shipped() -> list[tuple[str, str, int, int, str, str]]:
    """The rules in the package's own data file: event, fund type, years inclusive, debit, credit."""
    file = resources.files("jincai_ledger") / "data" / "posting_rules.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return [
        (
            row["event"],
            row["fund_type_code"],
            int(row["valid_from_year"]),
            int(row["valid_to_year"]),
            row["debit_account"],
            row["credit_account"],
        )
        for row in rows
    ]


def load(cx: psycopg.Connection) -> dict[str, int]:
    """Insert the shipped rules that are not there yet; table → rows inserted."""
    columns = [list(column) for column in zip(*shipped(), strict=True)]
    added = cx.execute(_LOAD, columns).rowcount
    return {"ledger.posting_rule": added} if added else {}
