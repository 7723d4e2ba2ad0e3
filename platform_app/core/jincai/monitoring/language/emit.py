"""SQL for an understood expression: one that cannot fail and is never NULL.

A value may be missing (a register says nothing, a division by zero). A comparison with what is missing is
false. Inside AND and OR a NULL does the same as false, so it is only under NOT, in a comparison of two truths
and at the very top that ``coalesce`` must say so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jincai.monitoring.language import thresholds, window_sql
from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.literals import array, literal, patterns
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
    parts,
)
from jincai.monitoring.rule import Rule
from jincai.monitoring.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Emitter:
    """Writes the SQL of one rule's expressions; ``relation`` is where windows look."""

    rule: Rule
    vocabulary: Vocabulary
    relation: str

    def sql(self, node: Node) -> str:
        """The SQL of ``node``, as one operand."""
        return _WRITERS[type(node)](self, node)

    def sure(self, node: Node) -> str:
        """The same, but false where it would be NULL."""
        return f"coalesce({self.sql(node)}, false)"

    def _constant(self, node: Constant) -> str:
        return literal(node.value)

    def _field(self, node: FieldOf) -> str:
        return window_sql.field(self.vocabulary, node.name, node.whose)

    def _threshold(self, node: ThresholdOf) -> str:
        return thresholds.sql(self.rule.thresholds[node.name], self.vocabulary)

    def _words(self, node: Words) -> str:
        return array(node.words)

    def _call(self, node: Call) -> str:
        function = FUNCTIONS[node.function]
        return function.sql(
            *(
                patterns(one.words) if function.inside and isinstance(one, Words) else self.sql(one)
                for one in node.arguments
            )
        )

    def _ask(self, node: Ask) -> str:
        asked = self.vocabulary.lookups[node.lookup]
        return f"({asked.sql.format(*(self.sql(one) for one in node.arguments))})"

    def _number(self, node: Node) -> str:
        return f"({self.sql(node)})::numeric"

    def _arithmetic(self, node: Arithmetic) -> str:
        left, right = self._number(node.left), self._number(node.right)
        if node.operator == "/":
            return f"div({left}, nullif({right}, 0))"
        return f"({left} {node.operator} {right})"

    def _negative(self, node: Negative) -> str:
        return f"(- {self._number(node.what)})"

    def _comparison(self, node: Comparison) -> str:
        if node.left.type == "boolean":
            return f"({self.sure(node.left)} {node.operator} {self.sure(node.right)})"
        left, right = self.sql(node.left), self.sql(node.right)
        if node.left.type == "text" and node.operator not in {"=", "<>"}:
            # By code point, whatever language the database sorts in.
            left = f'({left} COLLATE "C")'
        return f"({left} {node.operator} {right})"

    def _member(self, node: Member) -> str:
        what = self.sure(node.what) if node.what.type == "boolean" else self.sql(node.what)
        return f"({what} IN ({', '.join(self.sql(one) for one in node.options)}))"

    def _not(self, node: Not) -> str:
        return f"(NOT {self.sure(node.term)})"

    def _every(self, node: Every) -> str:
        *cheap, last = (" AND ".join(group) for group in self._by_cost(node.terms))
        for group in reversed(cheap):
            last = f"CASE WHEN {group} THEN {last} ELSE false END"
        return f"({last})"

    def _some(self, node: Some) -> str:
        *cheap, last = (" OR ".join(group) for group in self._by_cost(node.terms))
        for group in reversed(cheap):
            last = f"CASE WHEN {group} THEN true ELSE {last} END"
        return f"({last})"

    def _by_cost(self, terms: tuple[Node, ...]) -> list[list[str]]:
        groups: dict[int, list[str]] = {}
        for one in terms:
            groups.setdefault(_cost(one), []).append(self.sql(one))
        return [groups[cost] for cost in sorted(groups)]

    def _window(self, node: Window) -> str:
        condition = None if node.condition is None else self.sql(node.condition)
        return window_sql.window(node, self.vocabulary, self.relation, condition)


def _cost(node: Node) -> int:
    """0: the record alone; 1: a register is asked; 2: earlier records are read."""
    kinds = {type(one) for one in parts(node)}
    return 2 if Window in kinds else 1 if Ask in kinds else 0


_WRITERS: dict[type[Node], Callable[[Emitter, Any], str]] = {
    Constant: Emitter._constant,
    FieldOf: Emitter._field,
    ThresholdOf: Emitter._threshold,
    Words: Emitter._words,
    Call: Emitter._call,
    Ask: Emitter._ask,
    Arithmetic: Emitter._arithmetic,
    Negative: Emitter._negative,
    Comparison: Emitter._comparison,
    Member: Emitter._member,
    Every: Emitter._every,
    Some: Emitter._some,
    Not: Emitter._not,
    Window: Emitter._window,
}
