"""Which values a term leaves to what it speaks of: an interval, a few values, all but some.

Dates are counted in days. A threshold counts with the least and the most that it can be anywhere, so that
what is refused is impossible in every division and year.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.tree import (
    Arithmetic,
    Ask,
    Call,
    Comparison,
    Constant,
    Member,
    Negative,
    Node,
    Operator,
    ThresholdOf,
    Window,
    Words,
    parts,
)
from jincai.monitoring.rule import Rule

Value = str | int | bool
_FLIPPED: dict[Operator, Operator] = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
_NEGATED: dict[Operator, Operator] = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "=": "<>", "<>": "="}
# How the left side may compare with the right one.
_SIGNS: dict[Operator, frozenset[Value]] = {
    "<": frozenset({-1}),
    ">": frozenset({1}),
    "<=": frozenset({-1, 0}),
    ">=": frozenset({0, 1}),
    "=": frozenset({0}),
    "<>": frozenset({-1, 1}),
}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, word: word in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


@dataclass(frozen=True, slots=True)
class Domain:
    """Values that are left; None in ``low``, ``high`` and ``only`` means no bound."""

    low: int | None = None
    high: int | None = None
    only: frozenset[Value] | None = None
    without: frozenset[Value] = frozenset()
    tests: tuple[Callable[[Value], bool], ...] = ()

    def __and__(self, other: "Domain") -> "Domain":
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        both = self.only & other.only if self.only is not None and other.only is not None else None
        only = both if both is not None else self.only if other.only is None else other.only
        return Domain(
            max(lows, default=None),
            min(highs, default=None),
            only,
            self.without | other.without,
            self.tests + other.tests,
        )

    def empty(self) -> bool:
        """Whether no value is left."""
        if self.only is not None:
            return not any(self._holds(value) for value in self.only)
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and self.low in self.without)

    def _holds(self, value: Value) -> bool:
        if value in self.without or not all(test(value) for test in self.tests):
            return False
        if isinstance(value, str):
            return True
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


Constraint = tuple[object, Domain]


def constraints(node: Node, rule: Rule, *, negated: bool) -> list[Constraint]:
    """What a term says, as domains of what it speaks of; nothing if it is beyond this reasoning."""
    if negated and _may_be_missing(node):
        return []
    match node:
        case Comparison():
            return _comparison(node, rule, negated=negated)
        case Member():
            return [(node.what, _values(frozenset(map(_plain, node.options)), negated=negated))]
        case Call(function="one_of", arguments=(what, Words() as words)):
            return [(what, _values(frozenset(words.words), negated=negated))]
        case Call(arguments=(what, Constant(value=str() as word))) if node.function in _TESTS:
            test = _TESTS[node.function]
            return [(what, Domain(tests=(lambda value: test(str(value), word) is not negated,)))]
        case _:
            return []


def natural(subject: object) -> Domain:
    """What is known of a value without any term: a month is 1 to 12, a count never negative."""
    if isinstance(subject, Call):
        return Domain(FUNCTIONS[subject.function].least, FUNCTIONS[subject.function].most)
    if isinstance(subject, Window) and subject.measure in {"past_count", "past_distinct"}:
        return Domain(low=0)
    return Domain()


def _comparison(node: Comparison, rule: Rule, *, negated: bool) -> list[Constraint]:
    operator = _NEGATED[node.operator] if negated else node.operator
    left, right = node.left, node.right
    found: list[Constraint] = []
    if repr(left) <= repr(right):
        found.append(((left, right), Domain(only=_SIGNS[operator])))
    else:
        found.append(((right, left), Domain(only=_SIGNS[_FLIPPED[operator]])))
    if left == right:
        found.append(((left, right), Domain(only=frozenset({0}))))
    for subject, how, other in ((left, operator, right), (right, _FLIPPED[operator], left)):
        if (domain := _bounded(how, other, rule)) and not isinstance(subject, Constant):
            found.append((subject, domain))
    if isinstance(left, Constant) and (domain := _bounded(operator, right, rule)):
        found += [(left, domain), (left, Domain(only=frozenset({_plain(left)})))]
    return found


def _bounded(operator: Operator, other: Node, rule: Rule) -> Domain | None:
    """What ``x operator other`` leaves to x."""
    if isinstance(other, Constant) and isinstance(other.value, (str, bool)):
        if operator in {"=", "<>"}:
            return _values(frozenset({other.value}), negated=operator == "<>")
        return None
    bounds = _range(other, rule)
    if bounds is None:
        return None
    least, most = bounds
    domains = {
        "<": Domain(high=most - 1),
        "<=": Domain(high=most),
        ">": Domain(low=least + 1),
        ">=": Domain(low=least),
        "=": Domain(least, most),
        "<>": Domain(without=frozenset({least} if least == most else ())),
    }
    return domains[operator]


def _range(node: Node, rule: Rule) -> tuple[int, int] | None:
    """The least and the most that a value without any record in it can be."""
    match node:
        case Constant():
            value = _plain(node)
            return None if isinstance(value, (str, bool)) else (value, value)
        case ThresholdOf():
            threshold = rule.thresholds[node.name]
            values = (threshold.value, *(one.value for one in threshold.overrides))
            return min(values), max(values)
        case Negative():
            inner = _range(node.what, rule)
            return inner and (-inner[1], -inner[0])
        case Arithmetic(operator="+" | "-" | "*"):
            left, right = _range(node.left, rule), _range(node.right, rule)
            return left and right and _calculated(node.operator, left, right)
        case _:
            return None


def _calculated(operator: str, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    if operator == "+":
        return left[0] + right[0], left[1] + right[1]
    if operator == "-":
        return left[0] - right[1], left[1] - right[0]
    products = [a * b for a in left for b in right]
    return min(products), max(products)


def _values(values: frozenset[Value], *, negated: bool) -> Domain:
    return Domain(without=values) if negated else Domain(only=values)


def _plain(node: Node) -> Value:
    value = node.value if isinstance(node, Constant) else ""
    return value.toordinal() if isinstance(value, dt.date) else value


def _may_be_missing(node: Node) -> bool:
    return any(
        (isinstance(one, Arithmetic) and one.operator == "/")
        or (isinstance(one, Ask) and one.type != "boolean")
        for one in parts(node)
    )
