"""用款计划: a unit submits what it wants released, and may withdraw it; finance may refuse it."""

from collections.abc import Sequence

from jincai.auth.principal import Principal
from jincai.money import yuan
from psycopg import AsyncConnection
from psycopg.rows import class_row

from jincai_payment.desk import DeskError
from jincai_payment.plan import Plan, PlanAsked

_COLUMNS = """id, fiscal_year, division, agency_code, indicator_id, month, pay_type, amount, state, purpose,
       made_by, made_at, checked_by, reason, settled_at"""
_BY_KEY = f"""
SELECT {_COLUMNS} FROM payment.plan
 WHERE division = %(division)s AND idempotency_key = %(idempotency_key)s
"""  # noqa: S608 - column names
_ADD = f"""
INSERT INTO payment.plan (fiscal_year, division, agency_code, indicator_id, month, pay_type, amount, purpose,
                          idempotency_key, made_by)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(indicator_id)s, %(month)s, %(pay_type)s, %(amount)s,
        %(purpose)s, %(idempotency_key)s, %(made_by)s)
    ON CONFLICT (division, idempotency_key) DO NOTHING
RETURNING {_COLUMNS}
"""  # noqa: S608 - column names
READ = f"SELECT {_COLUMNS} FROM payment.plan WHERE id = ANY (%s) ORDER BY id"  # noqa: S608 - column names
LOCK = READ + " FOR NO KEY UPDATE"
SETTLE = """
UPDATE payment.plan
   SET state = %s, checked_by = %s, reason = %s, settled_at = statement_timestamp()
 WHERE id = ANY (%s)
"""
_INDICATOR = """
SELECT fiscal_year, division, agency_code, indicator_no, control_level, amount - reserved - planned
  FROM budget.indicator WHERE id = %s
"""


async def read(cx: AsyncConnection, plan_id: int) -> Plan:
    """One plan.

    Raises:
        DeskError: there is none that the reader may see.
    """
    return (await fetch(cx, READ, [plan_id]))[0]


async def submit(cx: AsyncConnection, principal: Principal, asked: PlanAsked) -> Plan:
    """The plan asked for; asked again under its key, the same plan.

    Raises:
        DeskError: no such indicator, not enough left of it, or the key was used for another plan.
    """
    row = await (await cx.execute(_INDICATOR, (asked.indicator_id,))).fetchone()
    if row is None:
        raise no_indicator(asked.indicator_id)
    fiscal_year, division, agency_code, name, level, available = row
    given = asked.model_dump() | {
        "fiscal_year": fiscal_year,
        "division": division,
        "agency_code": agency_code,
        "made_by": principal.actor,
    }
    async with cx.cursor(row_factory=class_row(Plan)) as cursor:
        found = await (await cursor.execute(_BY_KEY, given)).fetchone()
        if found is None:
            if level == 2 and asked.amount > available:
                raise too_much(name, asked.amount, "amount", available)
            # Two requests with one key: the second waits here, and then finds the first one's plan.
            found = await (await cursor.execute(_ADD, given)).fetchone()
            found = found or await (await cursor.execute(_BY_KEY, given)).fetchone()
    if found is None or any(
        given[name] != value for name, value in found.model_dump(include=set(given)).items()
    ):
        raise DeskError(
            409,
            "该幂等键已用于另一份用款计划,请换一个键。",
            "The key was used for another plan; take another key.",
            "idempotency_key",
        )
    return found


async def refuse(cx: AsyncConnection, principal: Principal, ids: Sequence[int], reason: str) -> list[Plan]:
    """Refuse all of ``ids`` or none, with the reason.

    Raises:
        DeskError: one is settled already, or is the asker's own.
    """
    plans = await fetch(cx, LOCK, ids)
    due = [one.id for one in plans if is_due(one, principal, "refused")]
    await cx.execute(SETTLE, ("refused", principal.actor, reason, due))
    return await fetch(cx, READ, ids)


async def withdraw(cx: AsyncConnection, principal: Principal, ids: Sequence[int]) -> list[Plan]:
    """Take back plans that nobody has decided on; only who made them may.

    Raises:
        DeskError: one is settled already, or another person's.
    """
    plans = await fetch(cx, LOCK, ids)
    for one in plans:
        if one.made_by != principal.actor:
            raise DeskError(
                403,
                f"用款计划 {one.id} 由 {one.made_by} 申报,只能由其本人撤回。",
                f"Plan {one.id} was made by {one.made_by}, who alone may withdraw it.",
            )
        if one.state not in {"submitted", "withdrawn"}:
            raise _settled(one)
    due = [one.id for one in plans if one.state == "submitted"]
    await cx.execute(SETTLE, ("withdrawn", None, "", due))
    return await fetch(cx, READ, ids)


async def fetch(cx: AsyncConnection, query: str, ids: Sequence[int]) -> list[Plan]:
    """The plans ``ids`` by `READ` or `LOCK`, by id.

    Raises:
        DeskError: one is not there for this reader.
    """
    async with cx.cursor(row_factory=class_row(Plan)) as cursor:
        found = await (await cursor.execute(query, (list(ids),))).fetchall()
    if missing := set(ids) - {one.id for one in found}:
        number = min(missing)
        raise DeskError(
            404, f"没有用款计划 {number},或您无权查看。", f"There is no plan {number} that you may see."
        )
    return found


def is_due(plan: Plan, principal: Principal, state: str) -> bool:
    """Whether the step to ``state`` is still to be done; False if this person did it already.

    Raises:
        DeskError: it is the asker's own, or settled otherwise.
    """
    if plan.made_by == principal.actor:
        raise DeskError(
            403,
            f"用款计划 {plan.id} 由您本人申报,须由他人审批。",
            f"Plan {plan.id} is your own; somebody else must decide on it.",
        )
    if plan.state == "submitted":
        return True
    if (plan.state, plan.checked_by) != (state, principal.actor):
        raise _settled(plan)
    return False


def too_much(indicator: str, amount: int, field: str = "", available: int | None = None) -> DeskError:
    """The refusal of ``amount`` fen more from the indicator of this number."""
    left, left_en = "", ""
    if available is not None:
        left, left_en = f"(可用 {yuan(available)} 元)", f" ({yuan(available)} left)"
    return DeskError(
        409,
        f"指标 {indicator} 余额不足{left},不能再安排 {yuan(amount)} 元。请减少金额,或先追加指标。",
        f"Indicator {indicator} does not hold {yuan(amount)} yuan more{left_en}. Ask for less, or raise it.",
        field,
    )


def no_indicator(indicator: int) -> DeskError:
    """The refusal of an indicator that is not there for the asker."""
    return DeskError(
        409,
        f"没有指标 {indicator},或您无权使用。请另选指标。",
        f"There is no indicator {indicator} that you may use; choose another.",
        "indicator_id",
    )


def _settled(plan: Plan) -> DeskError:
    return DeskError(
        409,
        f"用款计划 {plan.id} 已由 {plan.checked_by or plan.made_by} 处理,不能再改。请重新读取。",
        f"Plan {plan.id} was settled by {plan.checked_by or plan.made_by} already; read it anew.",
    )
