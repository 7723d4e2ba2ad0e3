"""Recall and precision of the rules over the seeded year: alerts found, beside labels and definitions.

Recall: of the orders made to break a rule, how many it flagged. Precision: of those it flagged, how many
break it by definition, as `oracle` computes it without the compiled rules.
"""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import psycopg

from jincai_payment.year.generate import SeedYear
from jincai_payment.year.oracle import Expected
from jincai_payment.year.rule_data import RuleData

# Alerts about payments and about orders that were stopped, by the order's key.
_ALERTS = """
SELECT coalesce(p.idempotency_key, h.idempotency_key) AS key, a.rule, a.version
  FROM monitor.alert AS a
  LEFT JOIN payment.payment AS p ON a.subject = 'payment' AND p.id = a.subject_id
  LEFT JOIN payment.held AS h ON a.subject = 'held' AND h.id = a.subject_id
 WHERE a.subject IN ('payment', 'held') AND NOT a.shadow
   AND starts_with(coalesce(p.idempotency_key, h.idempotency_key), %s)
"""
# A held one may have been decided by people since.
_STOPPED = """
SELECT idempotency_key, CASE state WHEN 'forbidden' THEN 'forbidden' ELSE 'held' END
  FROM payment.held
 WHERE starts_with(idempotency_key, %s)
"""
# What explains a difference: payments that no rule judged yet, and whether there are rules at all.
_JUDGING = """
SELECT (SELECT coalesce(sum(cardinality(ids)), 0)::bigint FROM monitor.unjudged WHERE swept_at IS NULL),
       (SELECT coalesce(max(number), 0) FROM monitor.edition)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule over the year, in orders.

    Attributes:
        labelled: made to break it.
        found: of these, flagged by it.
        expected: break it by definition.
        flagged: flagged by it.
        right: of these, break it by definition.
    """

    rule: str
    stage: str
    labelled: int
    found: int
    expected: int
    flagged: int
    right: int

    @property
    def recall(self) -> float:
        """Share of the labelled that were flagged; 1 where nothing is labelled."""
        return self.found / self.labelled if self.labelled else 1.0

    @property
    def precision(self) -> float:
        """Share of the flagged that break the rule by definition; 1 where nothing is flagged."""
        return self.right / self.flagged if self.flagged else 1.0

    @property
    def exact(self) -> bool:
        """Whether everything that breaks the rule, and nothing else, was flagged."""
        return self.found == self.labelled and self.expected == self.flagged == self.right


@dataclass(frozen=True, slots=True)
class Measured:
    """What rules made of the year.

    Attributes:
        decisions: (expected, got) → number of orders, of those stopped; ``posted`` where nothing stops one.
        unjudged: payments that no rule has judged yet.
        edition: number of the rules in force; 0: none.
    """

    lines: list[Line]
    decisions: Mapping[tuple[str, str], int]
    unjudged: int = 0
    edition: int = 0

    @property
    def exact(self) -> bool:
        """Whether rules flagged and stopped just what breaks them."""
        return all(line.exact for line in self.lines) and all(want == got for want, got in self.decisions)


def alert_keys(cx: psycopg.Connection, prefix: str = "") -> set[tuple[str, str, int]]:
    """Alerts of orders whose key begins with ``prefix``: (key, rule, version), the same in every database."""
    return {(key, rule, version) for key, rule, version in cx.execute(_ALERTS, (prefix,)).fetchall()}


def stopped_keys(cx: psycopg.Connection, prefix: str = "") -> dict[str, str]:
    """Key of each order that rules stopped → ``held`` or ``forbidden``."""
    return dict(cx.execute(_STOPPED, (prefix,)).fetchall())


def measure(cx: psycopg.Connection, year: SeedYear, expected: Expected) -> Measured:
    """What ``cx``'s session sees of the year's alerts, beside what is expected."""
    prefix = f"seed{year.seed}-"
    flagged = {(key, rule) for key, rule, _ in alert_keys(cx, prefix)}
    found = compare(year.rules, expected, flagged, stopped_keys(cx, prefix))
    unjudged, edition = cx.execute(_JUDGING).fetchone() or (0, 0)
    return replace(found, unjudged=unjudged, edition=edition)


def compare(
    rules: RuleData, expected: Expected, flagged: AbstractSet[tuple[str, str]], stopped: Mapping[str, str]
) -> Measured:
    """Lines by rule, in their order, and decisions; ``flagged`` is (key, rule), ``stopped`` key → outcome."""
    labelled = {(key, rule) for key, rule in expected.labels.items()}
    columns = [
        Counter(rule for _, rule in one)
        for one in (labelled, labelled & flagged, expected.alerts, flagged, expected.alerts & flagged)
    ]
    names = {rule for column in columns for rule in column} | {
        name for name, rule in rules.rules.items() if rule.subject == "payment"
    }
    lines = [
        Line(name, rules.rules[name].stage, *(column[name] for column in columns))
        for name in sorted(names, key=lambda name: int(name[1:]))
    ]
    keys = expected.stopped.keys() | stopped.keys()
    decisions = Counter((expected.stopped.get(key, "posted"), stopped.get(key, "posted")) for key in keys)
    return Measured(lines, decisions)
