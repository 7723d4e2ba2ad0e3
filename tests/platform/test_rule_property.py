"""PostgreSQL makes of a random expression what Python makes of it, and what is refused is impossible."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from jincai.monitoring import language
from jincai_payment.monitored import PAYMENTS

from tests.platform.conftest import Urls
from tests.platform.rule_expressions import Written, condition, records
from tests.platform.rule_making import fires, rule


@pytest.fixture(scope="module")
def cx(database: Urls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.app, autocommit=True) as cx:
        yield cx


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(condition(), st.none() | condition(), records(), st.lists(records(), max_size=4))
def test_postgresql_says_what_python_says(
    cx: psycopg.Connection,
    when: Written,
    exempt: Written | None,
    record: dict[str, Any],
    earlier: list[dict[str, Any]],
) -> None:
    at = (record, earlier, record)
    expected = when.answer(*at) and not (exempt and exempt.answer(*at))
    assume(len(when.text) <= 2000 and (exempt is None or len(exempt.text) <= 2000))
    made = rule(when.text, exempt=[exempt.text] if exempt else [])
    try:
        language.compiled(made, PAYMENTS)
    except language.RuleError as error:
        # A rule is refused because of the whole, of its exemption or of a window; each is impossible then.
        for problem in error.problems:
            event("refused")
            if "the condition of" in problem or "earlier records" in problem or "words and signs" in problem:
                assume(condition=False)
            impossible = exempt.answer(*at) if exempt and problem.startswith("exempt 1") else expected
            assert not impossible, problem
        return
    event("fired" if expected else "passed")
    assert fires(cx, made, record, earlier) is expected
