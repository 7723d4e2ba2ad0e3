"""An understood expression as its author would write it, for messages."""

import datetime as dt

from jincai.monitoring.language.tree import (
    Arithmetic,
    Ask,
    Call,
    Comparison,
    Constant,
    Every,
    FieldOf,
    Member,
    Negative,
    Node,
    Not,
    Some,
    ThresholdOf,
    Window,
    Words,
    children,
)

TYPES = {
    "text": "text",
    "fen": "an amount in fen",
    "integer": "an integer",
    "number": "a number",
    "date": "a date",
    "boolean": "true or false",
}


def said(node: Node) -> str:
    """The node in the rule language, cut off if it is long."""
    whole = _said(node)
    return whole if len(whole) <= 120 else f"{whole[:119]}…"


def _said(node: Node) -> str:
    match node:
        case Constant():
            return _constant(node.value)
        case FieldOf() | ThresholdOf() | Words():
            return node.name
        case Every() | Some():
            word = " AND " if isinstance(node, Every) else " OR "
            return word.join(
                f"({_said(one)})" if isinstance(one, (Every, Some)) else _said(one) for one in node.terms
            )
        case Arithmetic() | Comparison():
            return f"{_said(node.left)} {node.operator} {_said(node.right)}"
        case _:
            return _called(node)


def _called(node: Node) -> str:
    arguments = ", ".join(_said(one) for one in children(node))
    match node:
        case Call():
            return f"{node.function}({arguments})"
        case Ask():
            return f"{node.lookup}({arguments})"
        case Not():
            return f"NOT ({arguments})"
        case Negative():
            return f"-({arguments})"
        case Member():
            return f"{_said(node.what)} IN ({', '.join(_said(one) for one in node.options)})"
        case Window():
            return f"{node.measure}(…)"
        case _:
            return "…"


def _constant(value: str | int | dt.date | bool) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"DATE '{value}'" if isinstance(value, dt.date) else str(value)
