"""budget.release(): what an approved plan takes from an indicator, for the payment system."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.platform.posting import shown, token_for_all


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


def indicator(books: psycopg.Connection, no: str, level: int) -> int:
    """An indicator of 100 fen, 10 of them reserved."""
    row = books.execute(
        """
        INSERT INTO budget.indicator
               (fiscal_year, division, indicator_no, agency_code, bgt_type_code, fund_type_code,
                exp_func_code, dep_exp_eco_code, summary, amount, reserved, control_level)
        VALUES (2030, '450100', %s, '101001', '1', '1', '2010301', '30201', '示例', 100, 10, %s)
        RETURNING id
        """,
        (no, level),
    ).fetchone()
    assert row
    return int(row[0])


def planned(books: psycopg.Connection, number: int, amount: int) -> int:
    row = books.execute("SELECT (budget.release(%s, %s)).planned", (number, amount)).fetchone()
    assert row
    return int(row[0])


def test_a_strict_indicator_holds_what_it_has_less_what_is_reserved(books) -> None:
    number = indicator(books, "strict", 2)
    assert planned(books, number, 90) == 90
    with pytest.raises(psycopg.Error, match="too much") as refused:
        planned(books, number, 1)
    assert refused.value.sqlstate == "JC005"
    assert planned(books, number, -90) == 0


@pytest.mark.parametrize("level", [0, 1])
def test_others_go_above_but_never_below_nothing(books, level) -> None:
    number = indicator(books, f"level-{level}", level)
    assert planned(books, number, 150) == 150
    with pytest.raises(psycopg.Error) as refused:
        planned(books, number, -151)
    assert refused.value.sqlstate == "JC005"


def test_what_is_not_there_is_said_to_be_so(books) -> None:
    with pytest.raises(psycopg.Error) as refused:
        planned(books, 999_999, 1)
    assert refused.value.sqlstate == "JC006"
