"""What every rule means, order by order in plain Python: nothing here knows the rule language or its SQL.

Only numbers and words come from the rules' files. Alerts of the seeded year are compared with this.
"""

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from jincai_payment.order import Order
from jincai_payment.year.definitions import DEFINITIONS, Asked, History, Known
from jincai_payment.year.generate import SeedYear
from jincai_payment.year.quotas import DIVISIONS, Quota
from jincai_payment.year.registers import Registers
from jincai_payment.year.rule_data import RuleData


@dataclass(frozen=True, slots=True)
class Expected:
    """What orders break by definition.

    Attributes:
        alerts: (key, rule).
        stopped: key of an order that does not post → ``held`` or ``forbidden``.
        labels: key → the rule that the order was made to break.
    """

    alerts: set[tuple[str, str]] = field(default_factory=set)
    stopped: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class Oracle:
    """Judges the orders of one division, in the order they are posted in."""

    def __init__(self, rules: RuleData, quotas: Sequence[Quota], registers: Registers) -> None:
        self._rules = rules
        self._quotas = {quota.number: quota for quota in quotas}
        # Others never run out: they are granted what all orders ask of them.
        self._left = {quota.number: quota.granted for quota in quotas if quota.granted is not None}
        self._known = Known(rules, registers)
        self._units: dict[str, History] = {}
        asked = {name: DEFINITIONS[name] for name, rule in rules.rules.items() if name in DEFINITIONS}
        self._stopping = [(name, one) for name, one in asked.items() if rules.stopping(name)]
        self._telling = [(name, one) for name, one in asked.items() if not rules.stopping(name)]

    def judge(self, order: Order) -> tuple[list[str], str]:
        """The rules that ``order`` breaks, and ``held`` or ``forbidden`` if it does not post."""
        history = self._units.get(order.agency_code)
        if history is None:
            history = self._units[order.agency_code] = History()
        asked = Asked(order, self._quotas[order.quota_id], history, self._known)
        if broken := [name for name, breaks in self._stopping if breaks(asked)]:
            outcomes = {self._rules.stopping(name) for name in broken}
            return broken, "forbidden" if "forbidden" in outcomes else "held"
        left = self._left.get(order.quota_id)
        if left is not None:
            # R14 is asked of what would stand otherwise.
            if order.amount > left:
                return ["R14"], self._rules.stopping("R14")
            self._left[order.quota_id] = left - order.amount
        broken = [name for name, breaks in self._telling if breaks(asked)]
        history.keep(order)
        return broken, ""


def run(year: SeedYear, workers: int | None = None) -> Expected:
    """What the orders of ``year`` break, divisions side by side in ``workers`` processes."""
    year.amounts  # noqa: B018 - made once, before the workers are forked
    ordered = sorted(DIVISIONS, key=lambda one: -year.counts[one])
    context = multiprocessing.get_context("fork")
    merged = Expected()
    with context.Pool(workers or os.cpu_count()) as pool:
        for found in pool.imap_unordered(partial(of_division, year), ordered):
            merged.alerts.update(found.alerts)
            merged.stopped.update(found.stopped)
            merged.labels.update(found.labels)
    return merged


def of_division(year: SeedYear, division: str) -> Expected:
    """What the orders of one division break."""
    found = Expected()
    oracle = Oracle(year.rules, year.quotas(division), year.registers(division))
    for made in year.orders(division):
        key = made.order.idempotency_key
        broken, outcome = oracle.judge(made.order)
        found.alerts.update((key, rule) for rule in broken)
        if outcome:
            found.stopped[key] = outcome
        if made.label:
            found.labels[key] = made.label
    return found
