"""The desk's lists as data: quotas, plans, applications; pages and API are made from them."""

from typing import TypeVar

from jincai.paging import BooksQuery, Page
from jincai.tables import Column, Filter, Table
from psycopg import AsyncConnection, sql
from pydantic import BaseModel

from jincai_payment.words import (
    APPLICATION_STATES,
    ASKED_KINDS,
    CONTROL_LEVELS,
    PAY_TYPES,
    PLAN_STATES,
)

T = TypeVar("T", bound=BaseModel)

QUOTAS = Table(
    name="quotas",
    books=sql.Identifier("payment", "quota"),
    rows="""
SELECT id, fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code, fund_type_code,
       exp_func_code, dep_exp_eco_code, project_code, control_level::text AS control_level, granted, used,
       granted - used AS available
  FROM payment.quota
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
""",
    columns=(
        Column("额度号", "Number", "id", "number"),
        Column("单位", "Unit", "agency_code"),
        Column("指标", "Indicator", "indicator_id", "number", link="/budget/indicators/{indicator_id}"),
        Column("方式", "Way", "pay_type", words=PAY_TYPES),
        Column("功能科目", "Function", "exp_func_code"),
        Column("经济科目", "Economic item", "dep_exp_eco_code"),
        Column("控制", "Control", "control_level", words=CONTROL_LEVELS),
        Column("额度(元)", "Granted (yuan)", "granted", "money"),
        Column("已用(元)", "Used (yuan)", "used", "money"),
        Column("可用(元)", "Available (yuan)", "available", "money"),
    ),
    filters=(
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("indicator_id", "指标", "Indicator", "indicator_id", kind="number"),
        Filter("pay_type", "方式", "Way", "pay_type", kind="choice", words=PAY_TYPES),
    ),
)

PLANS = Table(
    name="plans",
    books=sql.Identifier("payment", "plan"),
    rows="""
SELECT id, fiscal_year, division, agency_code, indicator_id, month, pay_type, amount, state, purpose,
       made_by, made_at, checked_by, reason, settled_at
  FROM payment.plan
 WHERE fiscal_year = %(fiscal_year)s AND division = %(division)s
""",
    columns=(
        Column("计划号", "Number", "id", "number", link="/payment/plans/{id}"),
        Column("单位", "Unit", "agency_code"),
        Column("指标", "Indicator", "indicator_id", "number", link="/budget/indicators/{indicator_id}"),
        Column("月份", "Month", "month", "number"),
        Column("方式", "Way", "pay_type", words=PAY_TYPES),
        Column("状态", "State", "state", words=PLAN_STATES),
        Column("申报人", "Made by", "made_by"),
        Column("审批人", "Decided by", "checked_by"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
    ),
    filters=(
        Filter("state", "状态", "State", "state", kind="choice", words=PLAN_STATES),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("indicator_id", "指标", "Indicator", "indicator_id", kind="number"),
        Filter("month", "月份", "Month", "month", kind="number"),
        Filter("pay_type", "方式", "Way", "pay_type", kind="choice", words=PAY_TYPES),
    ),
    order=("-id",),
)

APPLICATIONS = Table(
    name="applications",
    books=sql.Identifier("payment", "application"),
    rows="""
SELECT a.id, a.fiscal_year, a.division, a.agency_code, a.quota_id, a.kind, a.undoes, q.pay_type, a.payee_name,
       a.payee_account, a.payee_bank, a.payee_kind_code, a.set_mode_code, a.purpose, a.amount, a.pay_date,
       a.state, a.revision, a.made_by, a.made_at, a.reviewed_by, a.signed_by, a.payment_id
  FROM payment.application AS a
  JOIN payment.quota AS q ON q.id = a.quota_id
 WHERE a.fiscal_year = %(fiscal_year)s AND a.division = %(division)s
""",
    columns=(
        Column("申请号", "Number", "id", "number", link="/payment/applications/{id}"),
        Column("支付日期", "Pay date", "pay_date", "date"),
        Column("单位", "Unit", "agency_code"),
        Column("收款人", "Payee", "payee_name"),
        Column("用途", "Purpose", "purpose"),
        Column("方式", "Way", "pay_type", words=PAY_TYPES),
        Column("类别", "Kind", "kind", words=ASKED_KINDS),
        Column("状态", "State", "state", words=APPLICATION_STATES),
        Column("支付凭证", "Payment", "payment_id", "number", link="/payment/payments/{payment_id}"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
    ),
    filters=(
        Filter("state", "状态", "State", "state", kind="choice", words=APPLICATION_STATES),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("payee", "收款人", "Payee", "payee_name", "contains"),
        Filter("quota_id", "额度", "Quota", "quota_id", kind="number"),
        Filter("kind", "类别", "Kind", "kind", kind="choice", words=ASKED_KINDS),
        Filter("pay_from", "日期从", "From", "pay_date", "from", "date"),
        Filter("pay_to", "日期到", "To", "pay_date", "to", "date"),
    ),
    order=("-id",),
)


async def find(cx: AsyncConnection, kind: type[T], table: Table, asked: BooksQuery) -> Page[T]:
    """The page ``asked`` for, which has a field for each of the table's filters."""
    address = table.address().model_validate(asked.model_dump())
    total = await table.count(cx, address)
    rows = await table.find(cx, address, asked.limit)
    return Page(
        items=[kind.model_validate(row) for row in rows], total=total, limit=asked.limit, offset=asked.offset
    )
