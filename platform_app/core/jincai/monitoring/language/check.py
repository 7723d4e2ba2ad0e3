"""From the parser's tree to an understood one: a closed list of nodes, every name known, every type right."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from jincai.monitoring.language import types, windows
from jincai.monitoring.language.calls import arguments_of, name_of
from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.names import KEYS, SPANS, WINDOWS, Names, constant, unknown
from jincai.monitoring.language.tree import (
    Arithmetic,
    Ask,
    Call,
    Constant,
    Every,
    Member,
    Negative,
    Node,
    Not,
    Operator,
    Some,
)
from jincai.monitoring.language.wording import said

DEPTH_MOST = 40
IN_MOST = 200
NUMBER_MOST = 10**15
_COMPARISONS: dict[type[exp.Expression], Operator] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[exp.Expression], Literal["+", "-", "*", "/"]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}


@dataclass(frozen=True, slots=True)
class Checker:
    """Understands one rule's expressions; ``inside`` a window's condition a field is the earlier record's."""

    names: Names
    inside: bool = False

    def understood(self, tree: exp.Expression, depth: int = 0) -> Node:
        """The node for ``tree``.

        Raises:
            Refused: it is nothing that the language has, or does not fit together.
        """
        if depth > DEPTH_MOST:
            raise Refused(f"nested more than {DEPTH_MOST} deep")
        if isinstance(tree, exp.Paren):
            return self.understood(tree.this, depth + 1)
        if meaning := _MEANINGS.get(type(tree)):
            return meaning(self, tree, depth + 1)
        raise Refused(f"{tree.sql(dialect='postgres')[:80]} is nothing that the rule language has")

    def condition(self, tree: exp.Expression, where: str, depth: int = 0) -> Node:
        """A node that is true or false."""
        found = self.understood(tree, depth)
        types.expect(found, "boolean", where)
        return found

    def _chain(self, tree: exp.Expression, depth: int) -> Node:
        # A long chain is a deep tree for the parser, but one flat list for whoever wrote it.
        kind = type(tree)
        terms: list[exp.Expression] = []
        waiting = [tree]
        while waiting:
            one = waiting.pop()
            if type(one) is kind:
                waiting += (one.expression, one.this)
            else:
                terms.append(one)
        word = "AND" if kind is exp.And else "OR"
        nodes = tuple(self.condition(one, f"what stands beside {word}", depth) for one in terms)
        return Every(nodes) if kind is exp.And else Some(nodes)

    def _not(self, tree: exp.Expression, depth: int) -> Node:
        return Not(self.condition(tree.this, "what stands after NOT", depth))

    def _compared(self, tree: exp.Expression, depth: int) -> Node:
        left, right = self.understood(tree.this, depth), self.understood(tree.expression, depth)
        return types.comparison(_COMPARISONS[type(tree)], left, right)

    def _between(self, tree: exp.Expression, depth: int) -> Node:
        if tree.args.get("symmetric"):
            raise Refused("BETWEEN SYMMETRIC is not part of the rule language")
        what = self.understood(tree.this, depth)
        low, high = (self.understood(tree.args[end], depth) for end in ("low", "high"))
        return Every((types.comparison(">=", what, low), types.comparison("<=", what, high)))

    def _in(self, tree: exp.Expression, depth: int) -> Node:
        if not tree.expressions:
            raise Refused("IN takes values in parentheses; of a list write one_of(…, list)")
        if len(tree.expressions) > IN_MOST:
            raise Refused(f"IN has {len(tree.expressions)} values; {IN_MOST} are the most: make them a list")
        what = self.understood(tree.this, depth)
        options = tuple(self.understood(one, depth) for one in tree.expressions)
        for one in options:
            if not isinstance(one, Constant):
                raise Refused(f"IN takes values as written; {said(one)} is none")
            types.comparison("=", what, one)
        return Member(what, options)

    def _calculated(self, tree: exp.Expression, depth: int) -> Node:
        left, right = self.understood(tree.this, depth), self.understood(tree.expression, depth)
        operator = _ARITHMETIC[type(tree)]
        return Arithmetic(operator, left, right, types.arithmetic(operator, left, right))

    def _minus(self, tree: exp.Expression, depth: int) -> Node:
        what = self.understood(tree.this, depth)
        if isinstance(what, Constant) and isinstance(what.value, int) and what.type == "number":
            return constant(-what.value)
        return Negative(what, types.arithmetic("-", what, what))

    def _name(self, tree: exp.Expression, _: int) -> Node:
        table, name = tree.args.get("table"), name_of(tree)
        if table is None:
            return self.names.value(name, "earlier" if self.inside else "judged")
        if table.name != "this" or tree.args.get("db"):
            raise Refused(f"{table.name}.{name}: only this.{name} is known, in a window's condition")
        if not self.inside:
            raise Refused(f"this.{name}: outside of a window's condition write {name}")
        if name not in self.names.vocabulary.fields:
            raise unknown("field", name, self.names.vocabulary.fields)
        return self.names.value(name, "judged")

    def _called(self, tree: exp.Expression, depth: int) -> Node:
        name = name_of(tree)
        if name in WINDOWS:
            if self.inside:
                raise Refused(f"{name} inside a window's condition: a window looks at single records")
            return windows.understood(Checker(self.names, inside=True), tree, depth)
        if name in SPANS or name in KEYS:
            raise Refused(f"{name}(…) belongs into {', '.join(WINDOWS)}")
        if function := FUNCTIONS.get(name):
            return Call(name, self._arguments(tree, function.arguments, depth), function.answer)
        if lookup := self.names.vocabulary.lookups.get(name):
            if self.inside:
                raise Refused(f"{name} asks about the judged record: it cannot stand in a window's condition")
            return Ask(name, self._arguments(tree, lookup.arguments, depth), lookup.answer)
        raise unknown("function", name, (*FUNCTIONS, *WINDOWS, *self.names.vocabulary.lookups))

    def _arguments(self, tree: exp.Expression, wanted: tuple[str, ...], depth: int) -> tuple[Node, ...]:
        name, given = name_of(tree), arguments_of(tree)
        if len(given) != len(wanted):
            raise Refused(f"{name} takes {len(wanted)} arguments ({', '.join(wanted)}), not {len(given)}")
        return tuple(
            self._argument(one, kind, f"argument {number} of {name}", depth)
            for number, (one, kind) in enumerate(zip(given, wanted, strict=True), 1)
        )

    def _argument(self, tree: exp.Expression, kind: str, where: str, depth: int) -> Node:
        if kind == "words":
            if not isinstance(tree, exp.Column):
                raise Refused(f"{where} must be the name of a list")
            return self.names.words(name_of(tree))
        found = self.understood(tree, depth)
        types.expect(found, kind, where)  # type: ignore[arg-type]
        return found


def _literal(_: Checker, tree: exp.Expression, __: int) -> Node:
    value = str(tree.this)
    if tree.args.get("is_string"):
        return constant(value)
    if not (value.isascii() and value.isdigit() and len(value) <= 16 and int(value) <= NUMBER_MOST):
        raise Refused(f"{value}: a number is an integer (money in fen) up to {NUMBER_MOST}")
    return constant(int(value))


def _date(_: Checker, tree: exp.Expression, __: int) -> Node:
    inner = tree.this
    of_date = isinstance(tree.args.get("to"), exp.DataType) and tree.args["to"].this is exp.DataType.Type.DATE
    if not of_date or not isinstance(inner, exp.Literal) or not inner.args.get("is_string"):
        raise Refused("a date is written DATE '2010-12-20'; there are no casts")
    try:
        return Constant(dt.date.fromisoformat(str(inner.this)), "date")
    except ValueError:
        raise Refused(f"{inner.this!r} is no date: DATE '2010-12-20' is one") from None


def _truth(_: Checker, tree: exp.Expression, __: int) -> Node:
    return constant(bool(tree.this))


_MEANINGS: dict[type[exp.Expression], Callable[[Checker, exp.Expression, int], Node]] = {
    **dict.fromkeys((exp.And, exp.Or), Checker._chain),
    **dict.fromkeys(_COMPARISONS, Checker._compared),
    **dict.fromkeys(_ARITHMETIC, Checker._calculated),
    exp.Not: Checker._not,
    exp.Between: Checker._between,
    exp.In: Checker._in,
    exp.Neg: Checker._minus,
    exp.Column: Checker._name,
    exp.Anonymous: Checker._called,
    exp.Literal: _literal,
    exp.Cast: _date,
    exp.Boolean: _truth,
}
