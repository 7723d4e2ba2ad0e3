"""An expression once it is understood: every name known, every type settled. Nothing of SQL is left in it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

# A vocabulary's types, and ``number``: a plain number as written, which may be fen or a count.
Type = Literal["text", "fen", "integer", "number", "date", "boolean"]
Whose = Literal["judged", "earlier"]
Operator = Literal["=", "<>", "<", "<=", ">", ">="]
SpanKind = Literal["days", "this_day", "this_month", "this_year"]
Measure = Literal["past_count", "past_sum", "past_max", "past_distinct"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value as written: 'text', 5000, DATE '2010-12-20', TRUE."""

    value: str | int | dt.date | bool
    type: Type


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field, of the judged record or (in a window's condition) of an earlier one."""

    name: str
    whose: Whose
    type: Type


@dataclass(frozen=True, slots=True)
class ThresholdOf:
    """A threshold, by name: its value depends on where and when the judged record is."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Words:
    """A list of the rule, as the argument of a function."""

    name: str
    words: tuple[str, ...]
    type: Type = "text"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language."""

    function: str
    arguments: "tuple[Node, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a register."""

    lookup: str
    arguments: "tuple[Node, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Integers: + - * /; division cuts off the rest, and by zero has no answer."""

    operator: Literal["+", "-", "*", "/"]
    left: "Node"
    right: "Node"
    type: Type


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus something."""

    what: "Node"
    type: Type


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values of the same type."""

    operator: Operator
    left: "Node"
    right: "Node"
    type: Type = "boolean"


@dataclass(frozen=True, slots=True)
class Member:
    """IN ('a', 'b')."""

    what: "Node"
    options: "tuple[Node, ...]"
    type: Type = "boolean"


@dataclass(frozen=True, slots=True)
class Every:
    """AND."""

    terms: "tuple[Node, ...]"
    type: Type = "boolean"


@dataclass(frozen=True, slots=True)
class Some:
    """OR."""

    terms: "tuple[Node, ...]"
    type: Type = "boolean"


@dataclass(frozen=True, slots=True)
class Not:
    """NOT."""

    term: "Node"
    type: Type = "boolean"


@dataclass(frozen=True, slots=True)
class Span:
    """How far a window reaches: ``days`` (less than so many days away), or the same day, month or year."""

    kind: SpanKind
    days: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Something about earlier records.

    Attributes:
        measure: what of them.
        field: measured field; None for a count.
        span: how far it reaches in time.
        keys: fields in which they are like the judged record.
        across: whether other units' records count as well.
        condition: which of them count; None for all.
    """

    measure: Measure
    field: FieldOf | None
    span: Span
    keys: tuple[str, ...]
    across: bool
    condition: "Node | None"
    type: Type


Node = (
    Constant
    | FieldOf
    | ThresholdOf
    | Words
    | Call
    | Ask
    | Arithmetic
    | Negative
    | Comparison
    | Member
    | Every
    | Some
    | Not
    | Window
)


_NODES = get_args(Node)


def children(node: Node) -> tuple[Node, ...]:
    """What a node is made of, in order."""
    found: list[Node] = []
    for name in node.__slots__:
        value = getattr(node, name)
        found += (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, _NODES))
    return tuple(found)


def parts(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += children(one)
