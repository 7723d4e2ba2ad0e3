"""Trying a version before it is published: what is wrong with it, what its examples do, what it costs."""

import asyncio

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict

from jincai.monitoring.store import checking, cost, trying
from jincai.monitoring.store.checking import Vocabularies
from jincai.monitoring.store.trying import Tried
from jincai.monitoring.store.versions import Version
from jincai.standards.editions import RefusedError


class Wrong(BaseModel):
    """What keeps the version from being published; ``line`` 0: of the whole."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    line: int
    zh: str
    en: str


class Trial(BaseModel):
    """What came of it.

    Attributes:
        mistakes: of the text, or why it is too slow; with any the version cannot be published.
        examples: each with whether it fired; none if the text cannot be understood.
        records: how many of the newest records it was tried on; 0 if there are none.
        microseconds: mean time for one.
    """

    model_config = ConfigDict(frozen=True)

    mistakes: list[Wrong] = []
    examples: list[Tried] = []
    records: int = 0
    microseconds: float | None = None

    @property
    def passed(self) -> bool:
        """Whether a second person could publish it."""
        return not self.mistakes and all(one.right for one in self.examples)


async def mistakes(version: Version, known: Vocabularies) -> list[Wrong]:
    """What is wrong with the text alone."""
    found = await asyncio.to_thread(checking.check, version.source, version.rule, known)
    return [Wrong.model_validate(one) for one in found.mistakes]


async def run(cx: AsyncConnection, version: Version, known: Vocabularies) -> Trial:
    """Try ``version``; changes nothing."""
    found = await asyncio.to_thread(checking.check, version.source, version.rule, known)
    if found.rule is None or found.compiled is None:
        return Trial(mistakes=[Wrong.model_validate(one) for one in found.mistakes])
    vocabulary = known[found.rule.subject]
    tried = await trying.examples_of(cx, found.rule, vocabulary)
    if found.compiled.built_in:
        return Trial(examples=tried)
    try:
        measured = await cost.measure(cx, found.compiled.predicate, vocabulary)
    except RefusedError as error:
        return Trial(mistakes=[Wrong(line=0, zh=error.zh, en=error.en)], examples=tried)
    return Trial(examples=tried, records=measured.records, microseconds=measured.microseconds)
