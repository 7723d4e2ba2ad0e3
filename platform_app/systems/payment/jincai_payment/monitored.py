"""What monitoring rules may say of payments: the fields of a payment and its indicator, and the registers.

Every expression stands over ``p``, the judged payment or order, or ``h``, an earlier payment of its unit.
"""

import datetime as dt

from jincai.monitoring.vocabulary import Field, Lookup, Vocabulary

# Each with what an ordinary payment has there: ¥100.00 transferred to 示例公司.
_TEXTS = {
    "division": ("区划", "division", "450100"),
    "agency_code": ("预算单位", "unit", "101001"),
    "set_mode_code": ("结算方式", "settlement mode", "1"),
    "pay_type": ("支付方式", "way of payment", "direct"),
    "payee_name": ("收款人", "payee", "示例公司"),
    "payee_account": ("收款账号", "payee's account", "4500123456789012345"),
    "payee_bank": ("收款银行", "payee's bank", "示例银行南宁分行"),
    "payee_kind_code": ("收款人类别", "kind of payee", "1"),
    "purpose": ("用途", "purpose", "办公用品采购"),
    "bgt_type_code": ("指标类型", "kind of budget", "1"),
    "fund_type_code": ("资金性质", "fund", "1"),
    "exp_func_code": ("功能分类", "function", "2010301"),
    "dep_exp_eco_code": ("经济分类", "economic item", "30201"),
    "project_code": ("项目", "project", ""),
}
_FIELDS = {
    name: Field("text", title, english, f"p.{name}", ordinary=ordinary)
    for name, (title, english, ordinary) in _TEXTS.items()
} | {
    "fiscal_year": Field("integer", "年度", "fiscal year", "p.fiscal_year", ordinary=2016),
    "amount": Field("fen", "金额", "amount", "p.amount", ordinary=100_00),
    "pay_date": Field("date", "支付日期", "date of payment", "p.pay_date", ordinary=dt.date(2016, 3, 1)),
    # Said by `post`, whose decision on a quota depends on the orders before it.
    "quota_exceeded": Field(
        "boolean", "超额度", "beyond the quota", "p.warned", of_history=False, built_in=True
    ),
}
_OWN = (
    "EXISTS (SELECT FROM payment.own_account AS r"
    " WHERE (r.division, r.agency_code) = (p.division, p.agency_code)"
    " AND r.{key} = payment.plain({{0}})"
    " AND p.pay_date >= r.valid_from AND (r.valid_to IS NULL OR p.pay_date <= r.valid_to))"
)
# The editions in force are asked once for a statement, not once for each payment: nothing in there names p.
_UNIT_NAMED = (
    "SELECT FROM standards.code AS c"
    " WHERE (c.fiscal_year, c.element, c.code) = (p.fiscal_year, 'agency', p.agency_code)"
    " AND c.edition = ((SELECT jsonb_object_agg(f.fiscal_year, f.edition) FROM standards.in_force AS f)"
    " ->> p.fiscal_year::text)::integer"
    " AND c.attributes ->> 'division' = p.division AND payment.plain(c.name) = payment.plain({0})"
)
# Along the register's unique index, newest first: no sort for each payment.
_LIMIT = (
    "(SELECT r.amount FROM payment.unit_limit AS r WHERE r.division = p.division AND r.agency_code = {unit}"
    " AND r.kind = {{0}} AND p.pay_date >= r.valid_from AND (r.valid_to IS NULL OR p.pay_date <= r.valid_to)"
    " ORDER BY r.valid_from DESC LIMIT 1)"
)
EVERY_UNIT = "''"
_LOOKUPS = {
    "own_account": Lookup(
        ("text",),
        "boolean",
        "是本单位备案账户",
        "is an account the unit holds itself",
        _OWN.format(key="account_key"),
    ),
    "own_name": Lookup(
        ("text",),
        "boolean",
        "是本单位(或其账户户名)的名称",
        "is the unit's name, or that of one of its accounts",
        f"({_OWN.format(key='holder_key')} OR EXISTS ({_UNIT_NAMED}))",
    ),
    "contracted": Lookup(
        ("text", "text"),
        "boolean",
        "是项目合同的收款账户,且经济分类在合同之内(账号, 经济分类)",
        "is an account of the project's contracts, with their item (account, item)",
        "EXISTS (SELECT FROM payment.contract AS r WHERE (r.division, r.agency_code, r.project_code)"
        " = (p.division, p.agency_code, p.project_code) AND r.account_key = payment.plain({0})"
        " AND r.dep_exp_eco_code IN ('', {1})"
        " AND p.pay_date >= r.valid_from AND (r.valid_to IS NULL OR p.pay_date <= r.valid_to))",
    ),
    "unit_limit": Lookup(
        ("text", "fen"),
        "fen",
        "单位限额(payment, cash_day 或 cash_month; 未登记时取第二个参数)",
        "the unit's limit (payment, cash_day or cash_month; the second argument if none is registered)",
        f"coalesce({_LIMIT.format(unit='p.agency_code')}, {_LIMIT.format(unit=EVERY_UNIT)}, {{1}})",
        unregistered="{1}",
    ),
}
PAYMENTS = Vocabulary(
    subject="payment",
    relation="payment.payment",
    unit=("unit_id",),
    order="posting_no",
    date="pay_date",
    fields=_FIELDS,
    lookups=_LOOKUPS,
    # What undoes a payment is none, and one that was undone whole before this one no longer counts.
    history=(
        "h.kind = 'payment' AND NOT EXISTS (SELECT FROM payment.payment AS u WHERE u.undoes = h.id"
        " AND u.unit_id = h.unit_id AND u.posting_no + 0 < p.posting_no"
        " GROUP BY u.undoes HAVING sum(u.amount) <= -h.amount)"
    ),
    counts="p.kind = 'payment'",
    page="/payment/payments/{id}",
    released=(
        "EXISTS (SELECT FROM payment.held AS r"
        " WHERE r.payment_id = p.id AND r.state = 'released' AND {rule} = ANY (r.rules))"
    ),
)
