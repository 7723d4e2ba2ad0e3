"""The shipped rules: each does on its golden cases what they say, and ordinary payments pass."""

import asyncio
from itertools import islice

import pytest
from jincai.monitoring import examples, rule_file
from jincai.monitoring.language import compiled
from jincai.monitoring.rule import Example, Rule
from jincai_payment.system import SYSTEM
from jincai_payment.year.generate import SeedYear
from psycopg import AsyncConnection

from tests.platform.posting import order
from tests.platform.ruling import SHIPPED

FILES = sorted(SHIPPED.glob("R*.yml"), key=lambda file: int(file.stem[1:]))
VOCABULARIES = {one.subject: one for one in SYSTEM.monitored}
# As the table of rules has them.
STAGES = {
    **dict.fromkeys(("R1", "R5", "R6", "R9"), ("before", "hold")),
    **dict.fromkeys(("R11", "R12", "R14"), ("before", "forbid")),
}


def loaded(name: str) -> Rule:
    return rule_file.load((SHIPPED / f"{name}.yml").read_text(encoding="utf-8"), name)


def failures(database, rule: Rule) -> list[examples.Failure]:
    async def ask() -> list[examples.Failure]:
        async with await AsyncConnection.connect(database.app) as cx:
            return await examples.failures(cx, rule, VOCABULARIES[rule.subject])

    return asyncio.run(ask())


def test_there_are_fourteen() -> None:
    assert [file.stem for file in FILES] == [f"R{n}" for n in range(1, 15)]
    assert all(loaded(file.stem).id == file.stem for file in FILES)


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_it_runs_when_it_should(name: str) -> None:
    rule = loaded(name)
    if stopped := STAGES.get(name):
        assert (rule.stage, rule.disposal) == stopped
    else:
        assert rule.stage == ("after" if name == "R13" else "during")


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_it_does_what_its_examples_say(database, name: str) -> None:
    rule = loaded(name)
    assert min(len(rule.examples.fires), len(rule.examples.passes)) >= 3
    if rule.subject not in VOCABULARIES:
        pytest.skip(f"no system announces what rules may say of a {rule.subject}")
    compiled(rule, VOCABULARIES[rule.subject])
    assert failures(database, rule) == []


@pytest.mark.parametrize("name", ["R2", "R8", "R9"])
def test_a_threshold_that_moves_a_fen_is_noticed(database, name: str) -> None:
    rule = loaded(name)
    raised = {key: one.model_copy(update={"value": one.value + 1}) for key, one in rule.thresholds.items()}
    assert failures(database, rule.model_copy(update={"thresholds": raised}))


def ordinary() -> list[Example]:
    """What tests and the seeded year pay, with what their quotas say."""
    year = SeedYear(payments=4_000)
    quotas = {one.number: one for one in year.quotas("450100")}
    paid = [order(1, 1_000)] + [one.order for one in islice(year.orders("450100"), 48) if not one.label]
    texts = ("division", "payee_name", "payee_account", "payee_kind_code", "set_mode_code", "purpose")
    made = []
    for one in paid:
        record = {name: getattr(one, name) for name in (*texts, "amount", "pay_date")}
        if one.quota_id in quotas and one.payee_bank:
            quota = quotas[one.quota_id]
            record |= {name: getattr(quota, name) for name in ("exp_func_code", "dep_exp_eco_code")}
        made.append(Example(note="ordinary", record=record))
    return made


@pytest.mark.parametrize("name", [name for name in STAGES if name != "R14"] + ["R7", "R8"])
def test_ordinary_payments_pass(database, name: str) -> None:
    rule = loaded(name)
    passing = rule.examples.model_copy(update={"passes": tuple(ordinary())})
    assert failures(database, rule.model_copy(update={"examples": passing})) == []
