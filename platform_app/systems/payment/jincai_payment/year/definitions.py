"""The rules' definitions in plain Python, one function each: does this order break the rule?"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from jincai_payment.order import Order
from jincai_payment.year.quotas import Quota
from jincai_payment.year.registers import Registers
from jincai_payment.year.rule_data import RuleData

# As in the standards: set_mode, and payee_kind.
TRANSFER, CASH = "1", "2"
PERSON = "2"


@dataclass(slots=True)
class History:
    """What a unit has paid so far, in the shapes that definitions ask for; amounts in fen, days counted."""

    cash_of_day: dict[object, int] = field(default_factory=lambda: defaultdict(int))
    cash_of_month: dict[object, int] = field(default_factory=lambda: defaultdict(int))
    # Account, name and purpose → day and amount of each payment.
    to_payee: dict[object, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, order: Order) -> None:
        """``order`` is posted: what is judged after it sees it."""
        alike = (order.payee_account, order.payee_name, order.purpose)
        self.to_payee[alike].append((order.pay_date.toordinal(), order.amount))
        if order.set_mode_code == CASH:
            self.cash_of_day[order.pay_date] += order.amount
            self.cash_of_month[order.pay_date.year, order.pay_date.month] += order.amount


class Known:
    """What a division's registers say, and the rules' numbers and words."""

    def __init__(self, rules: RuleData, registers: Registers) -> None:
        self.rules = rules
        self.own_accounts = {(one.agency_code, plain(one.account)) for one in registers.own_accounts}
        self.own_names = {(one.agency_code, plain(one.holder)) for one in registers.own_accounts}
        self.contracts = {
            (one.agency_code, one.project_code, plain(one.payee_account), one.dep_exp_eco_code)
            for one in registers.contracts
        }
        self.limits = {(one.agency_code, one.kind): one.amount for one in registers.limits}


@dataclass(frozen=True, slots=True)
class Asked:
    """An order to be judged, and everything it is judged by."""

    order: Order
    quota: Quota
    history: History
    known: Known

    def number(self, rule: str, name: str) -> int:
        """A threshold of ``rule``, as it is where and when the order is."""
        return self.known.rules.number(rule, name, self.order.division, self.order.fiscal_year)

    def words(self, rule: str, name: str) -> tuple[str, ...]:
        """A list of ``rule``."""
        return self.known.rules.words(rule, name)

    def limit(self, kind: str, default: int) -> int:
        """The unit's own limit, or what holds for all."""
        return self.known.limits.get((self.order.agency_code, kind), default)

    def near(self, days: int) -> list[int]:
        """Amounts of the unit's earlier payments to this payee for this purpose, less than ``days`` away."""
        order = self.order
        day = order.pay_date.toordinal()
        earlier = self.history.to_payee.get((order.payee_account, order.payee_name, order.purpose), ())
        return [amount for then, amount in earlier if abs(then - day) < days]


@cache
def plain(said: str) -> str:
    """A name or account as registers compare it: letters and digits alone, wide ones as narrow."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", said).upper() if letter.isalnum())


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def to_own_account(asked: Asked) -> bool:
    """R1 零余额账户向本单位实有资金账户划转: never exempt at a registered account, whatever it is called."""
    order, known = asked.order, asked.known
    if (order.agency_code, plain(order.payee_account)) in known.own_accounts:
        return True
    return (order.agency_code, plain(order.payee_name)) in known.own_names and not _pays_its_dues(asked)


def _pays_its_dues(asked: Asked) -> bool:
    """R1's exemptions: union dues, provident fund, insurance, each from its item; taxes."""
    name, item = asked.order.payee_name, asked.quota.dep_exp_eco_code
    for kind in ("union", "provident", "insurance"):
        agrees = item in asked.words("R1", f"{kind}_items") and _says(
            name, asked.words("R1", f"{kind}_names")
        )
        if agrees and not (kind == "union" and _says(name, asked.words("R1", "union_above"))):
            return True
    return "税" in asked.order.purpose and _says(name, asked.words("R1", "tax_names"))


def large_cash(asked: Asked) -> bool:
    """R2 大额提现: one withdrawal."""
    return asked.order.set_mode_code == CASH and asked.order.amount >= asked.number("R2", "large_cash")


def cash_above_standard(asked: Asked) -> bool:
    """R3 超标准提现: the unit's cash of the day, or of the month, above its cap."""
    order, history = asked.order, asked.history
    if order.set_mode_code != CASH:
        return False
    day = order.amount + history.cash_of_day[order.pay_date]
    month = order.amount + history.cash_of_month[order.pay_date.year, order.pay_date.month]
    return day > asked.limit("cash_day", asked.number("R3", "cash_day_cap")) or month > asked.limit(
        "cash_month", asked.number("R3", "cash_month_cap")
    )


def split(asked: Asked) -> bool:
    """R4 拆分支付: several small ones that together are not small."""
    limit, amount = asked.number("R4", "split_limit"), asked.order.amount
    if amount >= limit:
        return False
    small = [one for one in asked.near(asked.number("R4", "split_days")) if one < limit]
    return len(small) + 1 >= asked.number("R4", "split_count") and amount + sum(small) >= limit


def provident_fund(asked: Asked) -> bool:
    """R5 挪用公积金: paid from its item to anybody but its centre, or to a person called like one."""
    order = asked.order
    return asked.quota.dep_exp_eco_code in asked.words("R5", "provident_items") and (
        not _says(order.payee_name, asked.words("R5", "centre_names")) or order.payee_kind_code == PERSON
    )


def construction(asked: Asked) -> bool:
    """R6 挪用基建资金: a project's money to somebody, or from an item, outside its contracts."""
    order, quota = asked.order, asked.quota
    if not quota.project_code or not quota.dep_exp_eco_code.startswith(asked.words("R6", "capital_items")):
        return False
    project = (order.agency_code, quota.project_code, plain(order.payee_account))
    return not any((*project, item) in asked.known.contracts for item in ("", quota.dep_exp_eco_code))


def card_not_used(asked: Asked) -> bool:
    """R7 未按规定使用公务卡: but for a little cash."""
    order = asked.order
    if order.set_mode_code not in {TRANSFER, CASH}:
        return False
    if order.set_mode_code == CASH and order.amount <= asked.number("R7", "small_cash"):
        return False
    return asked.quota.dep_exp_eco_code in asked.words("R7", "card_items") or _says(
        order.purpose, asked.words("R7", "card_purposes")
    )


def sensitive(asked: Asked) -> bool:
    """R8 敏感收款人或用途, or more than a limit to a person."""
    order = asked.order
    if _says(order.purpose, asked.words("R8", "sensitive_purposes")):
        return True
    if _says(order.payee_name, asked.words("R8", "sensitive_payees")):
        return True
    return order.payee_kind_code == PERSON and order.amount > asked.number("R8", "private_limit")


def very_large(asked: Asked) -> bool:
    """R9 超大额支付."""
    return asked.order.amount >= asked.limit("payment", asked.number("R9", "very_large"))


def duplicate(asked: Asked) -> bool:
    """R10 重复支付."""
    return asked.order.amount in asked.near(asked.number("R10", "duplicate_days"))


def wrong_item(asked: Asked) -> bool:
    """R11 使用本级不得使用的科目: the region's code ends in 0000, a city's in 00."""
    item, division = asked.quota.exp_func_code, asked.order.division
    lists = ["paid_by_nobody", "national"]
    if division[2:] != "0000":
        lists.append("not_below_region")
    if division[4:] != "00":
        lists.append("not_county")
    return any(item.startswith(asked.words("R11", name)) for name in lists)


def poor_information(asked: Asked) -> bool:
    """R12 支付信息不完整: the purpose says nothing, or the account looks like none."""
    purpose, account = asked.order.purpose, asked.order.payee_account
    if len(purpose) < asked.number("R12", "purpose_least") or len(set(purpose)) == 1:
        return True
    letters = asked.words("R12", "letters")
    if purpose in asked.words("R12", "meaningless") or not (_chinese(purpose) or _says(purpose, letters)):
        return True
    if not asked.number("R12", "account_least") <= len(account) <= asked.number("R12", "account_most"):
        return True
    if account.isdecimal():
        return len(set(account)) == 1
    return _chinese(account) or _says(account, letters + asked.words("R12", "marks"))


# R13 is about indicators, R14 needs no more than a quota's balance.
DEFINITIONS: Mapping[str, Callable[[Asked], bool]] = {
    "R1": to_own_account,
    "R2": large_cash,
    "R3": cash_above_standard,
    "R4": split,
    "R5": provident_fund,
    "R6": construction,
    "R7": card_not_used,
    "R8": sensitive,
    "R9": very_large,
    "R10": duplicate,
    "R11": wrong_item,
    "R12": poor_information,
}
