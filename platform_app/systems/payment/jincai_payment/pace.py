"""What monitoring rules may say of an indicator's pace (执行进度): how much was paid, and how late.

Asked of the end of a month; `payment.pace` adds the year's payments up to that day.
"""

import datetime as dt

from jincai.monitoring.vocabulary import Field, Type, Vocabulary

# Each with what an ordinary indicator has there: half of ¥100,000.00 paid in half of the year.
_TEXTS = {
    "division": ("区划", "division", "450100"),
    "agency_code": ("预算单位", "unit", "101001"),
    "bgt_type_code": ("指标类型", "kind of budget", "1"),
    "fund_type_code": ("资金性质", "fund", "1"),
    "exp_func_code": ("功能分类", "function", "2010301"),
    "dep_exp_eco_code": ("经济分类", "economic item", "30201"),
    "project_code": ("项目", "project", ""),
}
_OTHERS: tuple[tuple[str, Type, str, str, str, int | dt.date], ...] = (
    ("fiscal_year", "integer", "年度", "fiscal year", "p.fiscal_year", 2016),
    ("budget", "fen", "指标金额", "amount of the indicator", "p.amount", 100_000_00),
    ("paid", "fen", "累计支付", "paid so far", "p.paid", 50_000_00),
    ("paid_late", "fen", "12月20日后支付", "paid after 20 December", "p.paid_late", 0),
    ("elapsed_days", "integer", "已过天数", "days of the year gone by", "p.elapsed_days", 182),
    ("year_days", "integer", "全年天数", "days of the year", "p.year_days", 366),
    ("as_of", "date", "截止日期", "day it is looked at", "p.as_of", dt.date(2016, 6, 30)),
)
_FIELDS = {
    name: Field("text", title, english, f"p.{name}", of_history=False, ordinary=ordinary)
    for name, (title, english, ordinary) in _TEXTS.items()
} | {
    name: Field(kind, title, english, sql, of_history=False, ordinary=ordinary)
    for name, kind, title, english, sql, ordinary in _OTHERS
}
PACE = Vocabulary(
    subject="indicator",
    relation="payment.pace",
    # An indicator has no earlier ones: rules of pace have no windows.
    unit=("id",),
    order="id",
    date="as_of",
    fields=_FIELDS,
    of_day=True,
    page="/budget/indicators/{id}",
)
