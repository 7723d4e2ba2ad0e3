"""The shipped rules: each does on its golden cases what they say, in PostgreSQL."""

import asyncio

import pytest
from jincai.monitoring import examples, rule_file
from jincai.monitoring.language import compiled
from jincai.monitoring.rule import Rule
from jincai_payment.system import SYSTEM
from psycopg import AsyncConnection

from tests.platform.ruling import SHIPPED

FILES = sorted(SHIPPED.glob("R*.yml"), key=lambda file: int(file.stem[1:]))
VOCABULARIES = {one.subject: one for one in SYSTEM.monitored}


def loaded(name: str) -> Rule:
    return rule_file.load((SHIPPED / f"{name}.yml").read_text(encoding="utf-8"), name)


def test_there_are_fourteen() -> None:
    assert [file.stem for file in FILES] == [f"R{n}" for n in range(1, 15)]
    assert all(loaded(file.stem).id == file.stem for file in FILES)


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_it_does_what_its_examples_say(database, name: str) -> None:
    rule = loaded(name)
    assert min(len(rule.examples.fires), len(rule.examples.passes)) >= 3
    compiled(rule, VOCABULARIES[rule.subject])

    async def failures() -> object:
        async with await AsyncConnection.connect(database.app) as cx:
            return await examples.failures(cx, rule, VOCABULARIES[rule.subject])

    assert asyncio.run(failures()) == []
