"""Lists that are written as arrays at once are read by PostgreSQL as what they were."""

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jincai import arrays

_BIG = st.integers(-(2**63), 2**63 - 1)
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
_ODD = st.sampled_from(["", "NULL", "null", ",", "{", "}", '"', "\\", '\\"', " a ", "\n", "\t"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_BIG), st.lists(st.booleans()), st.lists(_TEXT | _ODD))
def test_read_as_written(database, numbers: list[int], found: list[bool], words: list[str]) -> None:
    written = arrays.integers(numbers), arrays.booleans(found), arrays.texts(words)
    with psycopg.connect(database.app) as cx:
        read = cx.execute("SELECT %s::bigint[], %s::boolean[], %s::text[]", written).fetchone()
    assert read == (numbers, found, words)
