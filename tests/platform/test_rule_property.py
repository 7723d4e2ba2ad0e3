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


_WORDS = """
    amount purpose pay_date cap least words own_account unit_limit quota_exceeded this past_count past_sum
    days this_day same across contains one_of length year date interval call select values
    AND OR NOT BETWEEN IN TRUE FALSE DATE = <> < >= + - * / ( ) ( ) , . 'a' '2016-01-01' 1 0 1.5 ; -- /* E'a'
"""
_SENTENCES = st.lists(st.sampled_from(_WORDS.split()), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_SENTENCES | st.text(min_size=1, max_size=40))
def test_any_text_is_refused_or_runs(cx: psycopg.Connection, text: str) -> None:
    try:
        made = rule(text)
        language.compiled(made, PAYMENTS)
    except language.RuleError:
        return
    fires(cx, made)
