"""The columns of what was found, on the page and in the file."""

import datetime as dt
from collections.abc import Iterable, Sequence

from jincai import spreadsheet
from jincai.tables import Column, Row, Words
from psycopg import AsyncConnection

from jincai_payment.words import BANK_STATES, KINDS, PAY_TYPES

COLUMNS = (
    Column("凭证号", "Number", "id", "number", link="/payment/search/{id}"),
    Column("日期", "Date", "pay_date", "date"),
    Column("区划", "Division", "division"),
    Column("单位", "Unit", "agency_code"),
    Column("收款人", "Payee", "payee_name"),
    Column("收款账号", "Account", "payee_account"),
    Column("用途", "Purpose", "purpose"),
    Column("功能分类", "Function", "exp_func_code"),
    Column("经济分类", "Item", "dep_exp_eco_code"),
    Column("方式", "Way", "pay_type", words=PAY_TYPES),
    Column("类别", "Kind", "kind", words=KINDS),
    Column("银行", "Bank", "bank_state", words=BANK_STATES),
    Column("金额(元)", "Amount (yuan)", "amount", "money"),
)
# What the file tells beyond the page.
FURTHER = (
    Column("结算方式", "Settlement", "set_mode_code"),
    Column("资金性质", "Fund", "fund_type_code"),
    Column("预算类型", "Budget", "bgt_type_code"),
    Column("项目", "Project", "project_code"),
)
SORTED = frozenset({"pay_date", "amount"})

CODES_MOST = 300
# Of every year, since a question may span years; the newest name of each.
_CODES = """
SELECT DISTINCT ON (c.element, c.code) c.element, c.code, c.name
  FROM standards.in_force AS f
  JOIN standards.code AS c ON (c.fiscal_year, c.edition) = (f.fiscal_year, f.edition)
 WHERE c.element IN ('set_mode', 'fund_type', 'bgt_type')
 ORDER BY c.element, c.code, c.fiscal_year DESC
 LIMIT %s
"""


async def codes(cx: AsyncConnection) -> dict[str, Words]:
    """Element → code → name, of what the form offers to choose from."""
    found: dict[str, dict[str, tuple[str, str]]] = {"set_mode": {}, "fund_type": {}, "bgt_type": {}}
    for element, code, name in await (await cx.execute(_CODES, (CODES_MOST,))).fetchall():
        found[element][code] = (f"{code} {name}", f"{code} {name}")
    return dict(found)


def sheet(rows: Sequence[Row], *, zh: bool) -> spreadsheet.Sheet:
    """Headings and rows of the file."""
    columns = (*COLUMNS, *FURTHER)
    headings = [one.title if zh else one.title_en for one in columns]
    return headings, _cells(rows, columns, zh=zh)


def _cells(
    rows: Sequence[Row], columns: Sequence[Column], *, zh: bool
) -> Iterable[Sequence[spreadsheet.Cell]]:
    for row in rows:
        yield [_cell(one, row[one.field], zh=zh) for one in columns]


def _cell(column: Column, value: object, *, zh: bool) -> spreadsheet.Cell:
    if column.kind == "money" and isinstance(value, int):
        return spreadsheet.yuan(value)
    if isinstance(value, str) and value in column.words:
        return column.words[value][0 if zh else 1]
    return value if isinstance(value, int | dt.date) else "" if value is None else str(value)
