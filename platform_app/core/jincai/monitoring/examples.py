"""规则示例: a rule's examples run in PostgreSQL, by the very predicate that judges payments.

All examples are one statement. Their records stand in one relation, which is also where windows look: each
example's earlier records, then the one to judge. Registers answer what the example says they do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from psycopg import AsyncConnection, Connection

from jincai.monitoring import language
from jincai.monitoring.example_records import Column, columns, mistakes
from jincai.monitoring.language.errors import RuleError
from jincai.monitoring.language.literals import literal
from jincai.monitoring.rule import Example, Rule, Value
from jincai.monitoring.vocabulary import Lookup, Vocabulary

Outcome = Literal["fires", "passes"]
# Columns beside the fields; no field's name has an underscore first.
_EXAMPLE, _UNIT, _PLACE, _JUDGED = "_example", "_unit", "_place", "_judged"


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that did not do what it says.

    Attributes:
        expected: under which of the two it stands: ``fires`` or ``passes``.
        number: its place there, from 1.
        note: what it is to show.
    """

    expected: Outcome
    number: int
    note: str

    def __str__(self) -> str:
        did = "did not make the rule fire" if self.expected == "fires" else "made the rule fire"
        return f"examples.{self.expected} {self.number} ({self.note}) {did}"


async def failures(cx: AsyncConnection[Any], rule: Rule, vocabulary: Vocabulary) -> list[Failure]:
    """The examples of ``rule`` that do not do what they say.

    Raises:
        RuleError: the rule does not compile, or an example names what there is not.
    """
    return _failed(rule, await (await cx.execute(statement(rule, vocabulary))).fetchall())


def failures_now(cx: Connection[Any], rule: Rule, vocabulary: Vocabulary) -> list[Failure]:
    """The same, for a program without an event loop."""
    return _failed(rule, cx.execute(statement(rule, vocabulary)).fetchall())


def statement(rule: Rule, vocabulary: Vocabulary) -> bytes:
    """The statement that judges every example: number (``fires`` first) and whether the rule fired.

    Raises:
        RuleError: the rule does not compile, or an example names what there is not.
    """
    known = columns(vocabulary)
    if problems := [
        problem for where, one in _named(rule) for problem in mistakes(one, where, known, vocabulary)
    ]:
        raise RuleError(rule.id, tuple(problems))
    predicate = language.compiled(rule, _of_examples(vocabulary), history="example").predicate
    names = ", ".join(f'"{name}"' for name in (_EXAMPLE, _UNIT, _PLACE, _JUDGED, *known))
    rows = ",\n".join(_rows(rule, known))
    return (
        f"WITH example ({names}) AS (VALUES\n{rows})\n"
        f'SELECT p."{_EXAMPLE}", {predicate} FROM example AS p WHERE p."{_JUDGED}" ORDER BY 1'
    ).encode()


def _failed(rule: Rule, found: list[tuple[int, bool]]) -> list[Failure]:
    fired = dict(found)
    places = [("fires", n, one) for n, one in enumerate(rule.examples.fires, 1)]
    places += [("passes", n, one) for n, one in enumerate(rule.examples.passes, 1)]
    return [
        Failure("fires" if kind == "fires" else "passes", number, one.note)
        for place, (kind, number, one) in enumerate(places)
        if fired[place] != (kind == "fires")
    ]


def _named(rule: Rule) -> Iterator[tuple[str, Example]]:
    for kind, examples in (("fires", rule.examples.fires), ("passes", rule.examples.passes)):
        yield from ((f"examples.{kind} {number}", one) for number, one in enumerate(examples, 1))


def _of_examples(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary as it is spoken of examples: each field a column, each register an answer."""
    # Only windows ask for it, and they need a field of that column.
    of_column = (name for name, one in vocabulary.fields.items() if one.sql == f"p.{vocabulary.date}")
    date = next(of_column, vocabulary.date)
    lookups = {name: replace(one, sql=_answer(name, one)) for name, one in vocabulary.lookups.items()}
    return replace(
        vocabulary,
        unit=(_UNIT,),
        order=_PLACE,
        date=date,
        fields={name: replace(one, sql=f'p."{name}"') for name, one in vocabulary.fields.items()},
        lookups=lookups,
        history=f'h."{_EXAMPLE}" = p."{_EXAMPLE}"',
    )


def _answer(name: str, lookup: Lookup) -> str:
    nothing = lookup.unregistered
    if nothing == "NULL" and lookup.answer == "boolean":
        nothing = "false"
    return f'CASE WHEN p."{name}?" THEN p."{name}()" ELSE {nothing} END'


def _rows(rule: Rule, known: Mapping[str, Column]) -> Iterator[str]:
    for example, (_, one) in enumerate(_named(rule)):
        for place, record in enumerate((*one.earlier, one.record), 1):
            judged = place > len(one.earlier)
            values: Mapping[str, Value | None] = {
                **{column: known[column].of(record) for column in known if not known[column].lookup},
                **{column: known[column].of(one.lookups) for column in known if known[column].lookup},
            }
            cells = (f"{_sql(values[name])}::{column.sql_type}" for name, column in known.items())
            yield f"({example}, 1, {place}, {literal(judged)}, {', '.join(cells)})"


def _sql(value: Value | None) -> str:
    return "NULL" if value is None else literal(value)
