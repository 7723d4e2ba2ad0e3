"""拦截: the list of orders that rules stopped, and what the rules say that stopped one."""

from jincai.errors import DataFileError
from jincai.monitoring import rule_file
from jincai.monitoring.rule import Disposal, Level, Rule
from jincai.tables import Column, Filter, Table, Words
from psycopg import AsyncConnection, sql
from pydantic import BaseModel, ConfigDict

from jincai_payment import held
from jincai_payment.held import Held

STATES: Words = {
    "held": ("已拦截", "Held"),
    "released": ("已放行", "Released"),
    "rejected": ("已驳回", "Rejected"),
    "forbidden": ("已禁止", "Forbidden"),
}
# In the address, so that a page turned still shows all: a blank counts as not asked, which means those held.
ANY_STATE = "any"

HELD = Table(
    name="held",
    books=sql.Identifier("payment", "held"),
    rows=f"""
SELECT {held.COLUMNS}, array_to_string(h.rules, ' ') AS stopped_by, h.state || ' any' AS states
  FROM payment.held AS h
 WHERE h.fiscal_year = %(fiscal_year)s AND h.division = %(division)s
""",  # noqa: S608 - our own words
    columns=(
        Column("编号", "Number", "id", "number", link="/payment/held/{id}"),
        Column("支付日期", "Pay date", "pay_date", "date"),
        Column("单位", "Unit", "agency_code"),
        Column("收款人", "Payee", "payee_name"),
        Column("收款账号", "Payee's account", "payee_account"),
        Column("用途", "Purpose", "purpose"),
        Column("状态", "State", "state", words=STATES),
        Column("规则", "Rules", "stopped_by"),
        Column("申请人", "Asked by", "asked_by"),
        Column("处理人", "Decided by", "decided_by"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
    ),
    filters=(
        Filter(
            "state", "状态", "State", "states", "contains", "choice",
            {**STATES, ANY_STATE: ("全部状态", "Any state")},
        ),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("rule", "规则", "Rule", "stopped_by", "contains"),
        Filter("payee", "收款人", "Payee", "payee_name", "contains"),
        Filter("pay_from", "日期从", "From", "pay_date", "from", "date"),
        Filter("pay_to", "日期到", "To", "pay_date", "to", "date"),
        Filter("amount_from", "金额从", "Amount from", "amount", "from", "money"),
    ),
    order=("-id",),
)  # fmt: skip

# The version that raised the alert; without one, the newest in force up to the edition that judged it.
_SOURCES = """
SELECT w.rule, v.version, v.source
  FROM unnest(%(rules)s::text[]) WITH ORDINALITY AS w (rule, place)
  LEFT JOIN LATERAL (
       SELECT a.version FROM monitor.alert AS a
        WHERE a.subject = 'held' AND a.subject_id = %(id)s AND a.rule = w.rule AND NOT a.shadow
        ORDER BY a.id DESC LIMIT 1) AS raised ON true
  LEFT JOIN LATERAL (
       SELECT r.version FROM monitor.edition_rule AS r
        WHERE r.rule = w.rule AND r.edition <= %(edition)s AND NOT r.shadow
        ORDER BY r.edition DESC LIMIT 1) AS in_force ON true
  LEFT JOIN monitor.rule_version AS v
    ON (v.rule, v.version) = (w.rule, coalesce(raised.version, in_force.version))
 ORDER BY length(w.rule), w.rule
"""


class Stopped(BaseModel):
    """A rule that stopped an order, as its version said; only ``rule`` if that can be read no more."""

    model_config = ConfigDict(frozen=True)

    rule: str
    version: int | None = None
    title: str = ""
    title_en: str = ""
    level: Level | None = None
    disposal: Disposal | None = None
    reason: str = ""
    legal_basis: str = ""


class Explained(Held):
    """A stopped order with the rules that stopped it."""

    stopped_by: list[Stopped]


async def read(cx: AsyncConnection, held_id: int) -> Explained:
    """One stopped order with what its rules say.

    Raises:
        DeskError: 404, there is none that this session may see.
    """
    found = await held.find(cx, held_id)
    asked = {"id": found.id, "rules": found.rules, "edition": found.edition}
    rows = await (await cx.execute(_SOURCES, asked)).fetchall()
    return Explained(**found.model_dump(), stopped_by=[_stopped(*row) for row in rows])


def _stopped(name: str, version: int | None, source: str | None) -> Stopped:
    rule = _readable(name, source)
    if rule is None:
        return Stopped(rule=name, version=version)
    said = rule.model_dump(include=set(Stopped.model_fields) - {"rule", "version"})
    return Stopped(rule=name, version=version, **said)


def _readable(name: str, source: str | None) -> Rule | None:
    """The rule in ``source``; None if there is none, or an older platform's that this one cannot read."""
    try:
        return rule_file.load(source, name) if source else None
    except DataFileError:
        return None
