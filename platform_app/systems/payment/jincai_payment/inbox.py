"""待办: everything that waits for the present user, and nothing that they may not do."""

from collections.abc import Sequence
from typing import LiteralString, TypeVar

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai_payment.application import Application
from jincai_payment.plan import Plan

# One page shows so many of each; the oldest first, the rest when those are done.
SHOWN_MOST = 200

T = TypeVar("T", bound=BaseModel)


class Inbox(BaseModel):
    """What waits: plans to approve, applications to review, to sign, and (for a unit) to finish."""

    model_config = ConfigDict(frozen=True)

    plans: list[Plan] = []
    review: list[Application] = []
    sign: list[Application] = []
    finish: list[Application] = []


_PLANS = """
SELECT id, fiscal_year, division, agency_code, indicator_id, month, pay_type, amount, state, purpose,
       made_by, made_at, checked_by, reason, settled_at
  FROM payment.plan
 WHERE state = 'submitted' AND made_by <> %(actor)s
 ORDER BY id
 LIMIT %(most)s
"""
# Nobody checks what they wrote at any time, or signs what they reviewed.
_APPLICATIONS = """
SELECT a.id, a.fiscal_year, a.division, a.agency_code, a.quota_id, a.kind, a.undoes, a.amount, a.pay_date,
       a.payee_name, a.payee_account, a.payee_bank, a.payee_kind_code, a.set_mode_code, a.purpose, a.state,
       a.revision, a.made_by, a.made_at, a.reviewed_by, a.signed_by, a.payment_id
  FROM payment.application AS a
 WHERE a.state = ANY (%(states)s) AND a.state NOT IN ('signed', 'void')
   AND (NOT %(checks)s OR a.reviewed_by IS DISTINCT FROM %(actor)s
        AND NOT EXISTS (SELECT FROM payment.application_step AS s
                         WHERE s.application_id = a.id AND s.by_whom = %(actor)s
                           AND s.action IN ('made', 'edited', 'submitted')))
 ORDER BY a.id
 LIMIT %(most)s
"""


async def read(cx: AsyncConnection, principal: Principal) -> Inbox:
    """What waits for ``principal``."""
    reviews, signs, submits = (
        f"payment.{one}" in principal.permissions for one in ("review", "post", "submit")
    )
    return Inbox(
        plans=await _rows(cx, Plan, _PLANS, principal) if reviews else [],
        review=await _applications(cx, principal, ["submitted"], checks=True) if reviews else [],
        sign=await _applications(cx, principal, ["reviewed"], checks=True) if signs else [],
        finish=await _applications(cx, principal, ["draft", "returned"], checks=False) if submits else [],
    )


async def _applications(
    cx: AsyncConnection, principal: Principal, states: Sequence[str], *, checks: bool
) -> list[Application]:
    return await _rows(cx, Application, _APPLICATIONS, principal, states=list(states), checks=checks)


async def _rows(
    cx: AsyncConnection, kind: type[T], query: LiteralString, principal: Principal, **more: object
) -> list[T]:
    given = {"actor": principal.actor, "most": SHOWN_MOST, **more}
    async with cx.cursor(row_factory=class_row(kind)) as cursor:
        return await (await cursor.execute(query, given)).fetchall()
