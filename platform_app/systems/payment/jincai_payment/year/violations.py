"""How orders of the seeded year come to break a rule, by its own numbers and words.

Each is made to break one rule and no other; what it breaks beside that, if anything, `oracle` tells.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from jincai_payment.order import Order
from jincai_payment.year.labels import Place
from jincai_payment.year.quotas import Quota
from jincai_payment.year.registers import Contract, Limit, Registers, own_account
from jincai_payment.year.rule_data import RuleData

# Settlement modes as shipped in the standards (set_mode), and kinds of payee (payee_kind).
TRANSFER, CASH, CARD = "1", "2", "3"
PERSON = "2"
# One unit in ten has limits of its own, so many times as high as everybody's.
_OWN_LIMITS_EVERY = 10
_OWN_LIMITS_TIMES = 4
# Fen: nothing that any rule would call large.
_MODEST = 300_000
# A quota of nothing else, whose only order asks for a fen more.
_SCANTY = 1_000_000


def sizes(rules: RuleData) -> dict[str, int]:
    """Rule → how many payments break it together."""
    cap, large, split = (
        rules.rules[rule].thresholds[name].value
        for rule, name in (("R3", "cash_day_cap"), ("R2", "large_cash"), ("R4", "split_count"))
    )
    return {"R3": max(2, cap // (large - 1) + 1), "R4": split, "R10": 2}


def most(rules: RuleData, division: str, year: int) -> int:
    """Fen that no ordinary payment is above."""
    return rules.number("R9", "very_large", division, year) - 1


def card_items(rules: RuleData) -> Sequence[str]:
    """Items that ordinary payments settle by official card only."""
    return rules.words("R7", "card_items")


def amount(rules: RuleData, place: Place, division: str, year: int, n: int) -> int:
    """Fen that the payment ``n``, at ``place`` in its group, must have."""

    def number(name: str) -> int:
        return rules.number(place.rule, name, division, year)

    match place.rule:
        case "R2":
            return number("large_cash") + (-1 if place.near else n % 1_000_000)
        case "R3":
            # Only the last makes it too much; just the cap is not.
            return _part(number("cash_day_cap") + (not place.near), place)
        case "R4":
            return _part(number("split_limit") - place.near, place)
        case "R10":
            # The group's alike, or one of them a fen more.
            return _MODEST + (n - place.member) % 100_000 + place.member * place.near
    return _MODEST + n % 100_000


def _part(total: int, place: Place) -> int:
    """A member's part of ``total``; no two alike, which would be another rule's business."""
    part = total // place.size
    return total - sum(part - 1 - n for n in range(place.size - 1)) if place.last else part - 1 - place.member


def quota(rules: RuleData, rule: str, like: Quota, number: int) -> Quota:
    """The quota that an order breaking ``rule`` is paid from: ``like``, or one beside it with ``number``."""
    match rule:
        case "R5":
            return replace(like, number=number, dep_exp_eco_code=rules.words("R5", "provident_items")[0])
        case "R6":
            item = f"{rules.words('R6', 'capital_items')[0]}01"
            return replace(like, number=number, dep_exp_eco_code=item, project_code=f"JJ{number:06}")
        case "R11":
            item = rules.words("R11", "national")[0]
            return replace(like, number=number, exp_func_code=f"{item:0<6}1")
        case "R14":
            return replace(like, number=number, granted=_SCANTY)
    return like


def registers(rules: RuleData, division: str, units: Sequence[str], building: Sequence[Quota]) -> Registers:
    """An account for each of ``units``, limits for some, contracts for the projects of ``building``."""
    default = (
        ("payment", "R9", "very_large"),
        ("cash_day", "R3", "cash_day_cap"),
        ("cash_month", "R3", "cash_month_cap"),
    )
    limits = [
        Limit(unit, kind, _OWN_LIMITS_TIMES * rules.rules[rule].thresholds[name].value)
        for unit in units[1::_OWN_LIMITS_EVERY]
        for kind, rule, name in default
    ]
    contracts = [_contract(one.agency_code, one.project_code, one.dep_exp_eco_code) for one in building]
    accounts = [own_account(division, place, unit) for place, unit in enumerate(units)]
    return Registers(accounts, contracts, limits)


def _contract(agency_code: str, project_code: str, item: str) -> Contract:
    """Of the project's item, or of another one, in turn."""
    number = project_code.removeprefix("JJ")
    covered = item if int(number) % 2 else f"{item[:-1]}9"
    return Contract(
        agency_code, project_code, f"HT{number}", "示例第一建筑公司", f"4588{number:0>12}", covered
    )


class Violations:
    """The violations of one division, from ordinary orders."""

    def __init__(self, draw: random.Random, rules: RuleData, known: Registers) -> None:
        self._draw = draw
        self._rules = rules
        self._accounts = {one.agency_code: one for one in known.own_accounts}
        self._contracts = {(one.agency_code, one.project_code): one for one in known.contracts}
        self._limits = {(one.agency_code, one.kind): one.amount for one in known.limits}
        self._card = frozenset(card_items(rules))

    def member(self, place: Place, order: Order, before: Order | None, quotas: Sequence[Quota]) -> Order:
        """``order`` as its group needs it; ``before``: the group's last so far; ``quotas``: the year's."""
        if before is not None and place.member:
            # Same day as the first: a group never leaves its year.
            same = replace(before, idempotency_key=order.idempotency_key, amount=order.amount)
            if place.rule in {"R4", "R10"}:
                return same
            payee = {name: getattr(order, name) for name in ("payee_name", "payee_account", "purpose")}
            return replace(same, **payee)
        paid_from = self._suitable(place.rule, quotas)
        mode = CASH if place.rule in {"R2", "R3"} else TRANSFER
        order = replace(
            order, agency_code=paid_from.agency_code, quota_id=paid_from.number, set_mode_code=mode
        )
        match place.rule:
            case "R1":
                # The unit's union is not the unit.
                own = self._accounts[order.agency_code]
                return replace(order, payee_name=f"{own.holder}工会委员会", purpose="拨缴工会经费")
            case "R7":
                return replace(order, purpose=f"{self._word('R7', 'card_purposes')}{order.amount % 1000:03}")
            case "R8":
                return replace(order, purpose=f"{self._word('R8', 'sensitive_purposes')}采购")
        return order

    def _suitable(self, rule: str, quotas: Sequence[Quota]) -> Quota:
        """One that lets an order break ``rule`` and no other, if there is one."""

        def suits(one: Quota) -> bool:
            return ((one.agency_code, "cash_day") in self._limits) == (rule == "R2")

        off_card = [one for one in quotas if one.dep_exp_eco_code not in self._card]
        return self._draw.choice([one for one in off_card if suits(one)] or off_card or quotas)

    def order(self, rule: str, like: Order, paid_from: Quota, key: str) -> Order:
        """An order that ``rule`` stops, of the same day as ``like``, from the quota ``paid_from``."""
        on_card = paid_from.dep_exp_eco_code in self._card
        order = replace(
            like,
            idempotency_key=key,
            agency_code=paid_from.agency_code,
            quota_id=paid_from.number,
            amount=_MODEST + self._draw.randrange(100_000),
            set_mode_code=CARD if on_card else TRANSFER,
        )
        match rule:
            case "R1":
                return self._to_itself(order)
            case "R6":
                return self._outside_contract(order, paid_from)
            case "R9":
                return replace(order, amount=self._limit(order) + self._draw.randrange(1_000_000))
            case "R12":
                return self._uninformative(order)
            case "R14":
                return replace(order, amount=(paid_from.granted or 0) + 1)
        return order

    def _to_itself(self, order: Order) -> Order:
        """Paid to the unit's own account, or to its name at an account that nobody registered."""
        own = self._accounts[order.agency_code]
        if self._draw.random() < 0.5:
            return replace(order, payee_name=own.holder)
        return replace(order, payee_name=own.holder, payee_account=own.account)

    def _outside_contract(self, order: Order, paid_from: Quota) -> Order:
        """To somebody else, or to the contract's payee from an item that it does not cover."""
        contract = self._contracts[paid_from.agency_code, paid_from.project_code]
        if contract.dep_exp_eco_code == paid_from.dep_exp_eco_code:
            return order
        return replace(order, payee_name=contract.payee_name, payee_account=contract.payee_account)

    def _limit(self, order: Order) -> int:
        own = self._limits.get((order.agency_code, "payment"))
        return own or self._rules.number("R9", "very_large", order.division, order.fiscal_year)

    def _uninformative(self, order: Order) -> Order:
        word = self._word("R12", "meaningless")
        purpose = self._draw.choice([word, "……", "1234", ""])
        return replace(order, purpose=purpose) if purpose else replace(order, payee_account="12AB")

    def _word(self, rule: str, name: str) -> str:
        return self._draw.choice(self._rules.words(rule, name))
