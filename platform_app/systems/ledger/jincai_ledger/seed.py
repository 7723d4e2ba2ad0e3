"""What the ledger ships as data: 分录模板 and 结转规则."""

import psycopg

from jincai_ledger import closing_rules, posting_rules


def load(cx: psycopg.Connection) -> dict[str, int]:
    """Insert the shipped rows that are not there yet; table → rows inserted."""
    return posting_rules.load(cx) | closing_rules.load(cx)
