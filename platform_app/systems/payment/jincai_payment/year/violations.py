"""How orders of the seeded year come to break a rule, by its own numbers and words.

Each is made to break one rule and no other; what it breaks beside that, if anything, `oracle` tells.
"""

import random
from collections.abc import Sequence

from jincai_payment.order import Order
from jincai_payment.year.grounds import MODEST, card_items
from jincai_payment.year.labels import Place
from jincai_payment.year.quotas import Quota
from jincai_payment.year.registers import Registers, is_union
from jincai_payment.year.rule_data import RuleData

# Settlement modes as shipped in the standards (set_mode), and kinds of payee (payee_kind).
TRANSFER, CASH, CARD = "1", "2", "3"
PERSON = "2"


class Violations:
    """The violations of one division, from ordinary orders."""

    def __init__(self, draw: random.Random, rules: RuleData, known: Registers) -> None:
        self._draw = draw
        self._rules = rules
        # A union's account comes after the unit's.
        self._accounts = {one.agency_code: one for one in reversed(known.own_accounts)}
        self._unions = {one.agency_code: one for one in known.own_accounts if is_union(one)}
        self._contracts = {(one.agency_code, one.project_code): one for one in known.contracts}
        self._limits = {(one.agency_code, one.kind): one.amount for one in known.limits}
        self._card = frozenset(card_items(rules))

    def member(self, place: Place, order: Order, before: Order | None, quotas: Sequence[Quota]) -> Order:
        """``order`` as its group needs it; ``before``: the group's last so far; ``quotas``: the year's."""
        if before is not None and place.member:
            # Same day as the first: a group never leaves its year.
            same = before._replace(idempotency_key=order.idempotency_key, amount=order.amount)
            if place.rule in {"R4", "R10"}:
                return same
            payee = {name: getattr(order, name) for name in ("payee_name", "payee_account", "purpose")}
            return same._replace(**payee)
        # What is to be settled by card: by its item, or by its purpose.
        by_item = place.rule == "R7" and not place.near and self._draw.random() < 0.5
        paid_from = self._suitable(place.rule, quotas, by_item=by_item)
        order = order._replace(agency_code=paid_from.agency_code, quota_id=paid_from.number)
        in_cash = place.rule in {"R2", "R3"} or (place.rule == "R7" and place.near)
        order = order._replace(set_mode_code=CASH if in_cash else TRANSFER)
        match place.rule:
            case "R1":
                # To its union, as registered, but at an account that is not.
                union = self._unions[order.agency_code].holder
                return order._replace(payee_name=union, purpose="拨缴工会经费")
            case "R7" if not by_item:
                return order._replace(purpose=self._word("R7", "card_purposes"))
            case "R8":
                return self._sensitive(order, place)
        return order

    def _sensitive(self, order: Order, place: Place) -> Order:
        if place.near:
            return order._replace(payee_name="示例某人", payee_kind_code=PERSON)
        if self._draw.random() < 0.5:
            return order._replace(payee_name=f"示例{self._word('R8', 'sensitive_payees')}")
        return order._replace(purpose=f"{self._word('R8', 'sensitive_purposes')}采购")

    def _suitable(self, rule: str, quotas: Sequence[Quota], *, by_item: bool) -> Quota:
        """One that lets an order break ``rule`` and no other, if there is one."""
        if rule == "R1":
            dues = self._rules.words("R1", "union_items")
            return self._draw.choice(
                [one for one in quotas if one.agency_code in self._unions and one.dep_exp_eco_code in dues]
            )
        fitting = [one for one in quotas if (one.dep_exp_eco_code in self._card) == by_item]
        # Large cash is within the limits of a unit that has its own; cash above the cap is above everybody's.
        cash = [one for one in fitting if ((one.agency_code, "cash_day") in self._limits) == (rule == "R2")]
        return self._draw.choice(cash if rule in {"R2", "R3"} else fitting)

    def order(self, rule: str, like: Order, paid_from: Quota, key: str) -> Order:
        """An order that ``rule`` stops, of the same day as ``like``, from the quota ``paid_from``."""
        on_card = paid_from.dep_exp_eco_code in self._card
        order = like._replace(
            idempotency_key=key,
            agency_code=paid_from.agency_code,
            quota_id=paid_from.number,
            amount=MODEST + self._draw.randrange(100_000),
            set_mode_code=CARD if on_card else TRANSFER,
        )
        match rule:
            case "R1":
                return self._to_itself(order)
            case "R6":
                return self._outside_contract(order, paid_from)
            case "R9":
                return order._replace(amount=self._limit(order) + self._draw.randrange(1_000_000))
            case "R12":
                return self._uninformative(order)
            case "R14":
                return order._replace(amount=(paid_from.granted or 0) + 1)
        return order

    def _to_itself(self, order: Order) -> Order:
        """Paid to the unit's own account, or to its name at an account that nobody registered."""
        own = self._accounts[order.agency_code]
        if self._draw.random() < 0.5:
            return order._replace(payee_name=own.holder)
        return order._replace(payee_name=own.holder, payee_account=own.account)

    def _outside_contract(self, order: Order, paid_from: Quota) -> Order:
        """To somebody else, or to the contract's payee from an item that it does not cover."""
        contract = self._contracts[paid_from.agency_code, paid_from.project_code]
        if contract.dep_exp_eco_code == paid_from.dep_exp_eco_code:
            return order
        return order._replace(payee_name=contract.payee_name, payee_account=contract.payee_account)

    def _limit(self, order: Order) -> int:
        own = self._limits.get((order.agency_code, "payment"))
        return own or self._rules.number("R9", "very_large", order.division, order.fiscal_year)

    def _uninformative(self, order: Order) -> Order:
        purpose = self._draw.choice([self._word("R12", "meaningless"), "……", "2010-03", ""])
        if purpose:
            return order._replace(purpose=purpose)
        account = self._draw.choice(["4500", "4500ABCD1234", "000000000000", "450*0012"])
        return order._replace(payee_account=account)

    def _word(self, rule: str, name: str) -> str:
        return self._draw.choice(self._rules.words(rule, name))
