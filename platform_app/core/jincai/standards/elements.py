"""要素: which code tables an edition has, and what a row of each may say beside code, name and parent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,29}")
DIVISION = re.compile(r"[1-9][0-9]{5}")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,40}")

Text = tuple[str, str]


@dataclass(frozen=True)
class Attribute:
    """What only one element has.

    Attributes:
        title: Chinese and English.
        expected: what a person is to write, in both languages.
        pattern: which texts are right.
        words: for a choice, text → Chinese and English.
    """

    title: Text
    expected: Text
    pattern: re.Pattern[str]
    words: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Element:
    """One code table; every attribute must be given, and stands in a column of its own."""

    title: Text
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its files, in their order."""
        return ("code", "name", "parent", *self.attributes)


def _choice(title: Text, words: Mapping[str, Text]) -> Attribute:
    listed = ", ".join(words)
    expected = (f"以下之一:{listed}", f"one of {listed}")
    return Attribute(title, expected, re.compile("|".join(words)), words)


_KIND = _choice(
    ("类别", "Kind"),
    {
        "asset": ("资产", "Asset"),
        "liability": ("负债", "Liability"),
        "net": ("净资产", "Net assets"),
        "revenue": ("收入", "Revenue"),
        "expenditure": ("支出", "Expenditure"),
    },
)
_SIDE = _choice(("方向", "Side"), {"debit": ("借", "Debit"), "credit": ("贷", "Credit")})
_DIVISION = Attribute(
    ("行政区划", "Division"), ("当年有效的6位区划代码", "a division of that year, 6 digits"), DIVISION
)
_TARGET = Attribute(("对应科目", "Target"), ("另一套科目的代码", "a code of the other chart"), CODE)
_OURS = Attribute(("平台字段", "Our field"), ("小写英文字段名", "a snake_case name"), _FIELD)

ELEMENTS: dict[str, Element] = {
    "agency": Element(("预算单位", "Budget units"), {"division": _DIVISION}),
    "exp_func": Element(("支出功能分类", "Functional classification")),
    "dep_exp_eco": Element(("部门支出经济分类", "Departments' economic classification")),
    "gov_exp_eco": Element(("政府支出经济分类", "Government's economic classification")),
    "fund_type": Element(("资金性质", "Fund types")),
    "bgt_type": Element(("预算类型", "Budget types")),
    "set_mode": Element(("结算方式", "Ways of settlement")),
    "payee_kind": Element(("收款人类别", "Kinds of payee")),
    "revenue": Element(("收入分类", "Revenue classification")),
    "account": Element(("会计科目", "Chart of accounts"), {"kind": _KIND, "side": _SIDE}),
    "account_map": Element(("科目对照", "Accounts of another chart"), {"target": _TARGET}),
    "field_name": Element(("标准字段名", "Standard field names"), {"field": _OURS}),
}
