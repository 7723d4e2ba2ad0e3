"""An understood expression as its author would write it, for messages."""

import datetime as dt
from collections.abc import Callable
from typing import Any

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
    return _WRITERS[type(node)](node)


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(map(_said, nodes))


def _joined(word: str) -> Callable[[Every | Some], str]:
    def one(node: Node) -> str:
        return f"({_said(node)})" if isinstance(node, (Every, Some)) else _said(node)

    return lambda node: word.join(map(one, node.terms))


def _constant(node: Constant) -> str:
    value = node.value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"DATE '{value}'" if isinstance(value, dt.date) else str(value)


_WRITERS: dict[type[Node], Callable[[Any], str]] = {
    Constant: _constant,
    FieldOf: lambda node: node.name,
    ThresholdOf: lambda node: node.name,
    Words: lambda node: node.name,
    Call: lambda node: f"{node.function}({_list(node.arguments)})",
    Ask: lambda node: f"{node.lookup}({_list(node.arguments)})",
    Arithmetic: lambda node: f"({_said(node.left)} {node.operator} {_said(node.right)})",
    Negative: lambda node: f"-({_said(node.what)})",
    Comparison: lambda node: f"{_said(node.left)} {node.operator} {_said(node.right)}",
    Member: lambda node: f"{_said(node.what)} IN ({_list(node.options)})",
    Every: _joined(" AND "),
    Some: _joined(" OR "),
    Not: lambda node: f"NOT ({_said(node.term)})",
    Window: lambda node: f"{node.measure}(…)",
}
