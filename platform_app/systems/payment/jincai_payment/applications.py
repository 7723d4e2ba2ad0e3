"""支付申请 in a unit's hands: written and edited, before anybody reviews it."""

from collections.abc import Sequence
from typing import LiteralString

from jincai.auth.principal import Principal
from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_payment import application_check
from jincai_payment.application import Application, ApplicationAsked, Content, Step, Trail
from jincai_payment.bank.state import BANK_JOINS, BANK_STATE
from jincai_payment.desk import DeskError

_COLUMNS: LiteralString = """id, fiscal_year, division, agency_code, quota_id, kind, undoes, amount, pay_date,
       payee_name, payee_account, payee_bank, payee_kind_code, set_mode_code, purpose, state, revision,
       made_by, made_at, reviewed_by, signed_by, payment_id"""
_READ = f"SELECT {_COLUMNS} FROM payment.application WHERE id = ANY (%s) ORDER BY id"  # noqa: S608
_LOCK = f"{_READ} FOR NO KEY UPDATE"
_BY_KEY = f"""
SELECT {_COLUMNS} FROM payment.application
 WHERE division = %(division)s AND idempotency_key = %(idempotency_key)s
"""  # noqa: S608 - column names
_ADD = f"""
INSERT INTO payment.application (fiscal_year, division, agency_code, quota_id, kind, undoes, amount, pay_date,
       payee_name, payee_account, payee_bank, payee_kind_code, set_mode_code, purpose, idempotency_key,
       made_by)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(quota_id)s, %(kind)s, %(undoes)s, %(amount)s,
        %(pay_date)s, %(payee_name)s, %(payee_account)s, %(payee_bank)s, %(payee_kind_code)s,
        %(set_mode_code)s, %(purpose)s, %(idempotency_key)s, %(made_by)s)
    ON CONFLICT (division, idempotency_key) DO NOTHING
RETURNING {_COLUMNS}
"""  # noqa: S608 - column names
_EDIT = """
UPDATE payment.application
   SET quota_id = %(quota_id)s, kind = %(kind)s, undoes = %(undoes)s, amount = %(amount)s,
       pay_date = %(pay_date)s, payee_name = %(payee_name)s, payee_account = %(payee_account)s,
       payee_bank = %(payee_bank)s, payee_kind_code = %(payee_kind_code)s, set_mode_code = %(set_mode_code)s,
       purpose = %(purpose)s, made_by = %(made_by)s, revision = revision + 1
 WHERE id = %(id)s
"""
_STEP = """
INSERT INTO payment.application_step (
       application_id, fiscal_year, division, agency_code, revision, action, reason, by_whom)
SELECT a.id, a.fiscal_year, a.division, a.agency_code, a.revision, %s, w.reason, %s
  FROM unnest(%s::bigint[], %s::text[]) AS w (id, reason)
  JOIN payment.application AS a ON a.id = w.id
 ORDER BY a.id
"""
_STEPS = """
SELECT action, revision, reason, by_whom, at
  FROM payment.application_step
 WHERE application_id = %s
 ORDER BY id
"""
_BANK_STATE = f"""
SELECT {BANK_STATE}
  FROM payment.payment AS p
  {BANK_JOINS}
 WHERE p.id = %s AND p.kind = 'payment'
"""  # noqa: S608 - our own words


async def fetch(cx: AsyncConnection, ids: Sequence[int], *, lock: bool = False) -> list[Application]:
    """The applications ``ids``, by id; with ``lock`` nobody else moves them until the transaction ends.

    Raises:
        DeskError: one is not there for this reader.
    """
    async with cx.cursor(row_factory=class_row(Application)) as cursor:
        found = await (await cursor.execute(_LOCK if lock else _READ, (list(ids),))).fetchall()
    if missing := set(ids) - {one.id for one in found}:
        number = min(missing)
        raise DeskError(
            404,
            f"没有支付申请 {number},或您无权查看。",
            f"There is no application {number} that you may see.",
        )
    return found


async def read(cx: AsyncConnection, application_id: int) -> Trail:
    """One application with its trail.

    Raises:
        DeskError: there is none that the reader may see.
    """
    (found,) = await fetch(cx, [application_id])
    async with cx.cursor(row_factory=class_row(Step)) as cursor:
        steps = await (await cursor.execute(_STEPS, (application_id,))).fetchall()
    state = await (await cx.execute(_BANK_STATE, (found.payment_id,))).fetchone()
    return Trail(**found.model_dump(), steps=steps, bank_state=state[0] if state else None)


async def make(cx: AsyncConnection, principal: Principal, asked: ApplicationAsked) -> Application:
    """A draft; asked again under its key, the same one.

    Raises:
        DeskError: what is wrong with it, or the key was used for another application.
    """
    fiscal_year, division, agency_code = await application_check.check(cx, asked)
    given = asked.model_dump() | {
        "fiscal_year": fiscal_year,
        "division": division,
        "agency_code": agency_code,
        "made_by": principal.actor,
    }
    async with cx.cursor(row_factory=class_row(Application)) as cursor:
        made = await (await cursor.execute(_ADD, given)).fetchone()
        found = made or await (await cursor.execute(_BY_KEY, given)).fetchone()
    if made:
        await note(cx, principal, "made", {made.id: ""})
    if found is None or (not made and _differs(found, asked, principal)):
        raise DeskError(
            409,
            "该幂等键已用于另一份支付申请,请换一个键。",
            "The key was used for another application; take another key.",
            "idempotency_key",
        )
    return found


async def edit(cx: AsyncConnection, principal: Principal, application_id: int, asked: Content) -> Application:
    """Change a draft, or what was returned.

    Raises:
        DeskError: it is in other hands by now, or what is wrong with it.
    """
    (found,) = await fetch(cx, [application_id], lock=True)
    if found.state not in {"draft", "returned"}:
        raise DeskError(
            409,
            f"支付申请 {found.id} 已不在单位手中,不能修改。如需修改,请联系审核人员退回。",
            f"Application {found.id} has left the unit's hands; ask the reviewer to return it.",
        )
    if await application_check.check(cx, asked) != (found.fiscal_year, found.division, found.agency_code):
        raise DeskError(
            409,
            "不能改用其他单位或年度的额度。请另写一份申请。",
            "It cannot move to another unit's or year's quota; write another application.",
            "quota_id",
        )
    if not _differs(found, asked, principal):
        return found
    await cx.execute(_EDIT, asked.model_dump() | {"id": found.id, "made_by": principal.actor})
    await note(cx, principal, "edited", {found.id: ""})
    return (await fetch(cx, [application_id]))[0]


async def note(cx: AsyncConnection, principal: Principal, action: str, why: dict[int, str]) -> None:
    """Add a step to the trail of each application in ``why``, which says the reason."""
    await cx.execute(_STEP, (action, principal.actor, list(why), list(why.values())))


def _differs(found: Application, asked: Content, principal: Principal) -> bool:
    said = asked.model_dump(include=set(Content.model_fields))
    return found.made_by != principal.actor or found.model_dump(include=set(said)) != said
