"""Which types go together: a comparison of text with a number says so before any payment is judged."""

from typing import Literal

from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.tree import Comparison, Node, Operator, Type
from jincai.monitoring.language.wording import TYPES, said

_NUMBERS = frozenset({"fen", "integer", "number"})


def common(left: Type, right: Type) -> Type | None:
    """The type of two values that may be compared or added; None if they may not."""
    if left == right:
        return left
    if left in _NUMBERS and right in _NUMBERS and "number" in {left, right}:
        return right if left == "number" else left
    return None


def fits(node: Node, wanted: Type) -> bool:
    """Whether a value may stand where ``wanted`` is asked."""
    return common(node.type, wanted) is not None


def expect(node: Node, wanted: Type, where: str) -> None:
    """Refuse a value of another type than ``wanted``."""
    if not fits(node, wanted):
        raise Refused(f"{where} must be {TYPES[wanted]}, but {said(node)} is {TYPES[node.type]}")


def comparison(operator: Operator, left: Node, right: Node) -> Comparison:
    """A comparison, if the two can be compared."""
    if common(left.type, right.type) is None:
        raise Refused(
            f"{said(left)} {operator} {said(right)} compares {TYPES[left.type]} with {TYPES[right.type]}"
        )
    if left.type == "boolean" and operator not in {"=", "<>"}:
        raise Refused(f"{said(left)} is true or false: it cannot be {operator} anything")
    return Comparison(operator, left, right)


def arithmetic(operator: Literal["+", "-", "*", "/"], left: Node, right: Node) -> Type:
    """The type of a calculation: fen stay fen, and two amounts in fen are never multiplied."""
    for side in (left, right):
        if side.type not in _NUMBERS:
            raise Refused(f"{said(side)} is {TYPES[side.type]}: nothing can be calculated with it")
    if operator in {"+", "-"}:
        found = common(left.type, right.type)
    elif operator == "*":
        found = _product(left.type, right.type)
    else:
        found = _quotient(left.type, right.type)
    if found is None:
        kinds = f"{TYPES[left.type]} {operator} {TYPES[right.type]}"
        raise Refused(f"{said(left)} {operator} {said(right)}: {kinds} means nothing")
    return found


def _product(left: Type, right: Type) -> Type | None:
    if "fen" in {left, right}:
        return None if left == right else "fen"
    return common(left, right)


def _quotient(left: Type, right: Type) -> Type | None:
    if right == "fen":
        return "integer" if left == "fen" else None
    return left if left == "fen" else common(left, right)
