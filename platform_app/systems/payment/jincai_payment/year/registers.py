"""What the seeded year's registers say: units' own accounts, contracts of projects, limits of some units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import AsyncConnection

MADE_BY = "seed year"
_UNION = "工会委员会"

_OWN_ACCOUNTS = """
INSERT INTO payment.own_account (division, agency_code, holder, account, made_by)
SELECT %s, agency_code, holder, account, %s
  FROM unnest(%s::text[], %s::text[], %s::text[]) AS w (agency_code, holder, account)
    ON CONFLICT DO NOTHING
"""
_CONTRACTS = """
INSERT INTO payment.contract (division, agency_code, project_code, contract_no, payee_name, payee_account,
                              dep_exp_eco_code, made_by)
SELECT %s, w.*, %s
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) AS w
    ON CONFLICT DO NOTHING
"""
_LIMITS = """
INSERT INTO payment.unit_limit (division, agency_code, kind, amount, made_by)
SELECT %s, w.*, %s
  FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS w
    ON CONFLICT DO NOTHING
"""


class OwnAccount(NamedTuple):
    """An account that a unit holds itself."""

    agency_code: str
    holder: str
    account: str


class Contract(NamedTuple):
    """Whom a construction project may pay, and from which item."""

    agency_code: str
    project_code: str
    contract_no: str
    payee_name: str
    payee_account: str
    dep_exp_eco_code: str


class Limit(NamedTuple):
    """A unit's own limit, in fen; ``kind`` as `payment.unit_limit` has it."""

    agency_code: str
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers of one division."""

    own_accounts: Sequence[OwnAccount]
    contracts: Sequence[Contract]
    limits: Sequence[Limit]


def own_account(division: str, unit: int, agency_code: str) -> OwnAccount:
    """The account of the division's ``unit``-th unit; payees' accounts begin otherwise."""
    return OwnAccount(agency_code, f"示例{division}第{unit + 1:03}单位", f"4599{division}{unit:06}")


def union_account(own: OwnAccount) -> OwnAccount:
    """The account of a unit's union: held under a name that may be paid at another account."""
    return OwnAccount(own.agency_code, f"{own.holder}{_UNION}", f"4598{own.account[4:]}")


def is_union(one: OwnAccount) -> bool:
    """Whether it is a `union_account`."""
    return one.holder.endswith(_UNION)


async def load(cx: AsyncConnection, division: str, registers: Registers) -> None:
    """Enters what is not entered yet; again changes nothing."""
    for statement, rows in (
        (_OWN_ACCOUNTS, registers.own_accounts),
        (_CONTRACTS, registers.contracts),
        (_LIMITS, registers.limits),
    ):
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            await cx.execute(statement, (division, MADE_BY, *columns))
