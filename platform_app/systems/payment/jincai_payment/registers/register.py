"""The three registers as data: where each is kept, what its entries are, what its list and its files show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from jincai.tables import Column, Filter, Table, Words
from psycopg import sql

from jincai_payment.registers.entry import (
    Contract,
    Entry,
    Kept,
    KeptAccount,
    KeptContract,
    KeptLimit,
    OwnAccount,
    UnitLimit,
    UnitLimitInYuan,
)

LIMIT_KINDS: Words = {
    "payment": ("单笔支付", "One payment"),
    "cash_day": ("每日提现", "Cash of a day"),
    "cash_month": ("每月提现", "Cash of a month"),
}
# Field → heading in Chinese and in English, in the order of forms and files.
_TITLES: Words = {
    "division": ("区划", "Division"),
    "agency_code": ("单位", "Unit"),
    "holder": ("户名", "Holder"),
    "account": ("账号", "Account"),
    "project_code": ("项目", "Project"),
    "contract_no": ("合同号", "Contract"),
    "payee_name": ("收款人", "Payee"),
    "payee_account": ("收款账号", "Payee's account"),
    "dep_exp_eco_code": ("经济分类", "Economic item"),
    "kind": ("限额种类", "Kind of limit"),
    "amount": ("限额(元)", "Limit (yuan)"),
    "valid_from": ("生效日期", "Valid from"),
    "valid_to": ("截止日期", "Valid to"),
}
_TYPES: Mapping[str, LiteralString] = {"valid_from": "date", "valid_to": "date", "amount": "bigint"}


@dataclass(frozen=True)
class Register:
    """A register.

    Attributes:
        name: in addresses, such as ``own-accounts``.
        title: Chinese and English.
        says: what rules ask it, in Chinese and English.
        table: in the schema ``payment``.
        entry: what is asked to be entered; ``written`` is the same with money in yuan.
        kept: an entry as it is kept.
        once: columns that name an entry; ``account_key`` is the plain form of the field ``account``.
        account: that field, "" if the register has none.
        listed: its list.
    """

    name: str
    title: tuple[str, str]
    says: tuple[str, str]
    table: LiteralString
    entry: type[Entry]
    written: type[Entry]
    kept: type[Kept]
    once: tuple[str, ...]
    account: str
    listed: Table

    @property
    def fields(self) -> Words:
        """Its fields, in order, with their headings."""
        return {name: both for name, both in _TITLES.items() if name in self.entry.model_fields}

    @property
    def optional(self) -> frozenset[str]:
        """Fields that may be left blank."""
        return frozenset(name for name, one in self.entry.model_fields.items() if not one.is_required())

    def type_of(self, field: str) -> LiteralString:
        """Its type in PostgreSQL."""
        return _TYPES.get(field, "text")


def _list(name: str, table: LiteralString, own: tuple[LiteralString, ...]) -> Table:
    columns = tuple(map(_column, own))
    return Table(
        name=name,
        # Entries belong to no year: those that hold on some day of it. Years are those with quotas.
        books=sql.Identifier("payment", "quota"),
        rows=f"""
SELECT id, division, agency_code, {", ".join(own)}, valid_from, valid_to, made_by, made_at
  FROM payment.{table}
 WHERE division = %(division)s
   AND valid_from < make_date(%(fiscal_year)s + 1, 1, 1)
   AND (valid_to IS NULL OR valid_to >= make_date(%(fiscal_year)s, 1, 1))
""",  # noqa: S608 - our own words
        columns=(
            Column("编号", "Number", "id", "number", link=f"/payment/registers/{name}/{{id}}"),
            Column("单位", "Unit", "agency_code"),
            *columns,
            Column("生效日期", "Valid from", "valid_from", "date"),
            Column("截止日期", "Valid to", "valid_to", "date"),
            Column("登记人", "Entered by", "made_by"),
        ),
        filters=(
            Filter("agency_code", "单位", "Unit", "agency_code"),
            *(
                Filter(one.field, one.title, one.title_en, one.field, "contains")
                for one in columns
                if one.kind == "text" and not one.words
            ),
        ),
        order=("agency_code", "-id"),
    )


def _column(field: str) -> Column:
    zh, en = _TITLES[field]
    if field == "amount":
        return Column(zh, en, field, "money")
    return Column(zh, en, field, words=LIMIT_KINDS if field == "kind" else {})


OWN_ACCOUNTS = Register(
    name="own-accounts",
    title=("账户备案", "Units' own accounts"),
    says=(
        "单位自己的实有资金账户。R1 拦截向这些账户、以这些户名的划款。",
        "Accounts that units hold themselves; R1 holds what goes to them or their holders.",
    ),
    table="own_account",
    entry=OwnAccount,
    written=OwnAccount,
    kept=KeptAccount,
    once=("division", "agency_code", "account_key", "valid_from"),
    account="account",
    listed=_list("own-accounts", "own_account", ("holder", "account")),
)
CONTRACTS = Register(
    name="contracts",
    title=("基建合同", "Construction contracts"),
    says=(
        "基建项目可以付给谁、从哪个经济分类付。R6 拦截合同之外的付款。",
        "Whom construction projects may pay, and from which item; R6 holds the rest.",
    ),
    table="contract",
    entry=Contract,
    written=Contract,
    kept=KeptContract,
    once=(
        "division", "agency_code", "project_code", "account_key", "dep_exp_eco_code", "contract_no",
        "valid_from",
    ),
    account="payee_account",
    listed=_list(
        "contracts",
        "contract",
        ("project_code", "contract_no", "payee_name", "payee_account", "dep_exp_eco_code"),
    ),
)  # fmt: skip
UNIT_LIMITS = Register(
    name="unit-limits",
    title=("单位限额", "Units' limits"),
    says=(
        "单笔支付和每日、每月提现的限额;单位留空为该区划每个单位。R3、R9 用它代替一般限额。",
        "Limits of a payment and of cash, instead of the usual ones; without a unit for each. R3 and R9 ask.",
    ),
    table="unit_limit",
    entry=UnitLimit,
    written=UnitLimitInYuan,
    kept=KeptLimit,
    once=("division", "agency_code", "kind", "valid_from"),
    account="",
    listed=_list("unit-limits", "unit_limit", ("kind", "amount")),
)
REGISTERS = {one.name: one for one in (OWN_ACCOUNTS, CONTRACTS, UNIT_LIMITS)}
