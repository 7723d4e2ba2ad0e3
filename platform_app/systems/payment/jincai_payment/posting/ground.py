"""What a batch's decisions stand on, found and locked in the stated order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from jincai import arrays
from jincai.standards.codes import unknown_of_years
from psycopg import AsyncConnection

from jincai_payment.order import Decision, Order, Reason

_BEYOND = "SELECT place FROM auth.beyond(%s, %s, %s, 'payment.post')"
_MAKE_UNITS = """
INSERT INTO payment.unit (division, agency_code)
SELECT DISTINCT q.division, q.agency_code
  FROM payment.quota AS q
 WHERE q.id = ANY (%s)
   AND NOT EXISTS (SELECT FROM payment.unit AS u
                    WHERE (u.division, u.agency_code) = (q.division, q.agency_code))
 ORDER BY 1, 2
    ON CONFLICT DO NOTHING
"""
# The freeze is asked once, before the first unit is locked, and costs no statement of its own. Without a unit
# there is nothing to pay from.
_LOCK_UNITS = """
SELECT u.id, u.division, u.agency_code, u.last_posting_no, (SELECT payment.frozen())
  FROM payment.unit AS u
 WHERE (u.division, u.agency_code)
       IN (SELECT q.division, q.agency_code FROM payment.quota AS q WHERE q.id = ANY (%s))
 ORDER BY u.id
   FOR NO KEY UPDATE
"""
_LOCK_QUOTAS = """
SELECT id, fiscal_year, division, agency_code, granted - used, control_level, used
  FROM payment.quota
 WHERE id = ANY (%s)
 ORDER BY id
   FOR NO KEY UPDATE
"""
# Under the units' locks: what another batch decided under one of these keys is visible by now.
_DECIDED = "SELECT * FROM payment.decided(%s::text[], %s::text[])"
_UNDOABLE = """
SELECT p.id, p.quota_id, p.payee_account,
       p.amount + coalesce((SELECT sum(u.amount) FROM payment.payment AS u WHERE u.undoes = p.id), 0)::bigint
  FROM payment.payment AS p
 WHERE p.id = ANY (%s) AND p.kind = 'payment'
"""
# An order by its name for ever: division and idempotency key. The rules it is released from, by the same.
Key = tuple[str, str]
Released = Mapping[Key, frozenset[str]]


@dataclass(slots=True)
class Unit:
    """A paying unit: its id, and the number of its last payment."""

    id: int
    last_posting_no: int


@dataclass(slots=True)
class Quota:
    """额度, in fen; ``available`` goes down as orders are decided."""

    fiscal_year: int
    division: str
    agency_code: str
    available: int
    control_level: int
    used: int


@dataclass(slots=True)
class Undoable:
    """A payment that may be undone: its quota and payee, and how much of it is left, in fen."""

    quota_id: int
    payee_account: str
    left: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders with their digests; ``released``: those that another person released from the rules named."""

    orders: Sequence[Order]
    digests: Sequence[int]
    released: Released = field(default_factory=dict)

    def released_at(self, places: Sequence[int]) -> dict[int, frozenset[str]]:
        """Place of a released order → the rules that do not count for it."""
        if not self.released:
            return {}
        keys = {n: (self.orders[n].division, self.orders[n].idempotency_key) for n in places}
        return {n: self.released[key] for n, key in keys.items() if key in self.released}


@dataclass(slots=True)
class Ground:
    """Everything decisions stand on, locked."""

    units: dict[tuple[str, str], Unit]
    quotas: dict[int, Quota]
    decided: dict[Key, tuple[Decision, int]]
    undoable: dict[int, Undoable]
    beyond: set[int]
    unknown: set[tuple[int, str, str]]
    frozen: int | None


async def lock(cx: AsyncConnection, batch: Batch) -> Ground:
    """Units by id, then quotas by id; then what was decided or undone under those locks."""
    orders = batch.orders
    quotas = sorted({order.quota_id for order in orders})
    await cx.execute(_MAKE_UNITS, (quotas,))
    units = await (await cx.execute(_LOCK_UNITS, (quotas,))).fetchall()
    locked = await (await cx.execute(_LOCK_QUOTAS, (quotas,))).fetchall()
    divisions = arrays.texts(order.division for order in orders)
    keys = arrays.texts(order.idempotency_key for order in orders)
    decided = await (await cx.execute(_DECIDED, (divisions, keys))).fetchall()
    undone = sorted({order.undoes for order in orders if order.undoes is not None})
    undoable = await (await cx.execute(_UNDOABLE, (undone,))).fetchall()
    return Ground(
        units={(division, agency): Unit(number, last) for number, division, agency, last, _ in units},
        quotas={row[0]: Quota(*row[1:]) for row in locked},
        decided={
            (row[0], row[1]): (_as_before(row[2], row[3], row[4], row[6], row[7]), row[5])
            for row in decided
            if (row[0], row[1]) not in batch.released
        },
        undoable={row[0]: Undoable(*row[1:]) for row in undoable},
        beyond=await _beyond(cx, orders),
        unknown=await _unknown(cx, orders),
        frozen=units[0][4] if units else None,
    )


async def _beyond(cx: AsyncConnection, orders: Sequence[Order]) -> set[int]:
    """Positions of the orders that go beyond their asker's scope."""
    asked = sorted({(o.token, o.division, o.agency_code) for o in orders if o.token is not None})
    if not asked:
        return set()
    columns = [list(column) for column in zip(*asked, strict=True)]
    places = {row[0] for row in await (await cx.execute(_BEYOND, columns)).fetchall()}
    wrong = {one for place, one in enumerate(asked, 1) if place in places}
    return {n for n, o in enumerate(orders) if (o.token, o.division, o.agency_code) in wrong}


async def _unknown(cx: AsyncConnection, orders: Sequence[Order]) -> set[tuple[int, str, str]]:
    """Codes that payments bring themselves and their years do not have; the others are their quota's.

    What undoes a payment is not asked: it goes back as it came, whatever a later edition dropped.
    """
    paying = [order for order in orders if order.kind == "payment"]
    brought = {(o.fiscal_year, "payee_kind", o.payee_kind_code) for o in paying}
    brought |= {(o.fiscal_year, "set_mode", o.set_mode_code) for o in paying}
    return set(await unknown_of_years(cx, brought))


def _as_before(
    payment_id: int | None,
    posting_no: int | None,
    warned: bool | None,
    reason: str | None,
    rules: list[str] | None,
) -> Decision:
    if payment_id is not None:
        return Decision(
            "posted", payment_id=payment_id, posting_no=posting_no, again=True, warned=bool(warned)
        )
    if reason == "held":
        return Decision("held", again=True, rules=tuple(rules or ()))
    return Decision("refused", cast("Reason", reason or ""), again=True, rules=tuple(rules or ()))
