"""A fund's way from its indicator to the bank's receipt, and to every alert about it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict

from jincai_payment import voucher
from jincai_payment.fund_query.trace_steps import LINKS, STEPS, Stage
from jincai_payment.voucher import Voucher

# Of each stage; who needs more opens the lists.
STEPS_MOST = 100


class Step(BaseModel):
    """One step; ``amount`` in fen, ``ledger`` the ledger's voucher, ``link`` the step's own page."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    number: int
    at: dt.datetime | None
    who: str | None
    amount: int | None
    state: str | None
    note: str | None
    link: str | None
    ledger: int | None = None


class Trace(BaseModel):
    """The whole way of a payment; of what undoes one, the way of that one.

    ``alerts_shown``: the asker may see alerts.
    """

    model_config = ConfigDict(frozen=True)

    payment: Voucher
    steps: list[Step]
    alerts_shown: bool


async def read(cx: AsyncConnection, payment_id: int, permissions: frozenset[str]) -> Trace:
    """The way of the payment; alerts for who may see alerts.

    Raises:
        DeskError: there is no such payment that the reader may see.
    """
    found = await voucher.read(cx, payment_id)
    if found.undoes is not None:
        found = await voucher.read(cx, found.undoes)
    arguments = {
        "indicator": found.indicator_id,
        "pay_type": found.pay_type,
        "quota": found.quota_id,
        "application": found.application_id,
        "payment": found.id,
        "payments": [found.id, *(one.id for one in found.undone_by)],
        "held": [],
    }
    shown = not permissions.isdisjoint({"monitor.read", "monitor.reply"})
    steps: list[Step] = []
    for stage, query in STEPS.items():
        if stage == "alert" and not shown:
            continue
        if stage == "alert":
            arguments["held"] = [one.number for one in steps if one.stage == "held"]
        steps += await _steps(cx, stage, query, arguments, found)
    return Trace(payment=found, steps=steps, alerts_shown=shown)


async def _steps(
    cx: AsyncConnection, stage: Stage, query: LiteralString, arguments: Mapping[str, Any], of: Voucher
) -> list[Step]:
    async with cx.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(f"{query} LIMIT %(most)s", {**arguments, "most": STEPS_MOST})
        rows = await cursor.fetchall()
    about = {"fiscal_year": of.fiscal_year, "division": of.division, "agency_code": of.agency_code}
    made: list[Step] = []
    for row in rows:
        link = LINKS[stage].format_map(about | row) if stage in LINKS else None
        ledger = of.voucher_id if stage == "payment" else row.get("ledger")
        made.append(Step(**{**row, "stage": stage, "link": link, "ledger": ledger}))
    return made
