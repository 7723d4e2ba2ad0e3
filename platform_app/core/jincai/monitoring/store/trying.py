"""A rule's examples, run: each fired or not, and whether that is what its author says of it."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.monitoring import examples
from jincai.monitoring.rule import Example, Rule
from jincai.monitoring.vocabulary import Vocabulary


class Tried(BaseModel):
    """One example: what it shows, whether the rule should fire and whether it did."""

    model_config = ConfigDict(frozen=True)

    note: str
    expected: bool
    fired: bool

    @property
    def right(self) -> bool:
        """Whether the rule does what is said of it."""
        return self.expected == self.fired


async def examples_of(cx: AsyncConnection, rule: Rule, vocabulary: Vocabulary) -> list[Tried]:
    """Every example of ``rule``, as PostgreSQL decides on it; changes nothing."""
    failed = {(one.expected, one.number) for one in await examples.failures(cx, rule, vocabulary)}
    every: list[tuple[examples.Outcome, Sequence[Example]]] = [
        ("fires", rule.examples.fires),
        ("passes", rule.examples.passes),
    ]
    return [
        Tried(
            note=one.note,
            expected=outcome == "fires",
            fired=(outcome == "fires") != ((outcome, number) in failed),
        )
        for outcome, several in every
        for number, one in enumerate(several, 1)
    ]
