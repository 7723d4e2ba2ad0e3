"""执行进度: what rules are told of an indicator at a month's end, and the alerts that come of it (R13)."""

import datetime as dt

import pytest
from jincai.monitoring.sweeps import walk
from jincai.standards.editions import RefusedError
from psycopg import sql

from tests.platform.desk import make_indicator
from tests.platform.posting import order, shown, token_for_all
from tests.platform.ruling import put_in_force, source
from tests.platform.sweeping import post_all, stepped, swept

SLOW = source(
    "R13",
    "elapsed_days >= 90 AND paid * year_days * 2 < budget * elapsed_days",
    subject="indicator",
    stage="after",
    level="yellow",
    disposal="record",
)
RUSH = source(
    "R130", "paid_late * 2 > budget", subject="indicator", stage="after", level="orange", disposal="warn"
)


@pytest.fixture(scope="module")
def books(database):
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx


def quota_of(books, indicator: int, pay_type: str = "direct") -> int:
    row = books.execute(
        "INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type,"
        "  bgt_type_code, fund_type_code, exp_func_code, dep_exp_eco_code, granted, control_level)"
        " SELECT fiscal_year, division, agency_code, id, %s, bgt_type_code, fund_type_code, exp_func_code,"
        "  dep_exp_eco_code, amount, 2 FROM budget.indicator WHERE id = %s RETURNING id",
        (pay_type, indicator),
    ).fetchone()
    return int(row[0])


@pytest.fixture
def indicator(database, books) -> int:
    """An indicator of 1000: 100 paid in January and 50 in April, directly and by the unit; 600 at the end."""
    put_in_force(database.owner)
    number = make_indicator(books, 1000)
    direct, own = quota_of(books, number), quota_of(books, number, "authorised")
    days = [(direct, 100, (1, 31)), (own, 50, (4, 1)), (direct, 550, (12, 21)), (own, 50, (12, 31))]
    post_all(database, [order(q, amount, pay_date=dt.date(2010, *day)) for q, amount, day in days])
    return number


def pace(books, indicator: int, day: str) -> tuple[object, ...]:
    return books.execute(
        "SELECT amount, paid, paid_late, elapsed_days, year_days, as_of"
        "  FROM payment.pace(%s::date, NULL) WHERE id = %s",
        (day, indicator),
    ).fetchone()


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2010-01-30", (0, 0, 30)), ("2010-01-31", (100, 0, 31)), ("2010-04-30", (150, 0, 120)),
     ("2010-12-20", (150, 0, 354)), ("2010-12-21", (700, 550, 355)), ("2010-12-31", (750, 600, 365))],
)  # fmt: skip
def test_what_was_paid_up_to_a_day(books, indicator, day, expected) -> None:
    assert pace(books, indicator, day) == (1000, *expected, 365, dt.date.fromisoformat(day))


def test_an_indicator_of_another_year_is_not_looked_at(books, indicator) -> None:
    assert pace(books, indicator, "2011-01-31") is None


def test_a_leap_year_has_a_day_more(books) -> None:
    row = books.execute(
        "INSERT INTO budget.indicator (fiscal_year, division, indicator_no, agency_code, bgt_type_code,"
        "  fund_type_code, exp_func_code, dep_exp_eco_code, summary, amount)"
        " VALUES (2012, '450100', 'leap', '101001', '1', '1', '2010301', '30201', '示例', 5) RETURNING id"
    ).fetchone()
    assert pace(books, row[0], "2012-12-31")[1:5] == (0, 0, 366, 366)


def test_only_what_the_session_sees(database, indicator, session) -> None:
    with shown(database.app, session(divisions=["450200"])) as cx:
        assert cx.execute("SELECT count(*) FROM payment.pace('2010-12-31', NULL)").fetchone() == (0,)
    with shown(database.app, session(divisions=["450100"], agencies=["101001"])) as cx:
        assert pace(cx, indicator, "2010-12-31")[1] == 750


def test_month_ends_are_swept_once(database, books, indicator) -> None:
    put_in_force(database.owner, SLOW, RUSH)
    swept(database)
    found = """
        SELECT rule, as_of, amount, subject, stage FROM monitor.alert
         WHERE subject_id = %s AND subject = 'indicator'
         ORDER BY rule, as_of
    """
    rows = books.execute(found, (indicator,)).fetchall()
    # 100 of 1000 is less than half of 90/365.
    assert [(rule, as_of.month) for rule, as_of, *_ in rows] == [
        *(("R13", month) for month in range(3, 12)), ("R130", 12)
    ]  # fmt: skip
    assert rows[0][1:] == (dt.date(2010, 3, 31), 1000, "indicator", "after")
    number = swept(database)
    assert books.execute(found, (indicator,)).fetchall() == rows
    parts = "SELECT subject, done, found FROM monitor.sweep_part WHERE sweep = %s"
    assert set(books.execute(parts, (number,)).fetchall()) == {("indicator", True, 0)}


def test_only_months_that_are_over(database) -> None:
    put_in_force(database.owner, RUSH)
    with pytest.raises(RefusedError, match="when a month is over"):
        stepped(database, {"from_day": dt.date(2010, 12, 1), "to_day": dt.date(2010, 12, 30)})
    today = walk.today()
    ends = walk.month_ends(dt.date(2010, 1, 31), today + dt.timedelta(days=60))
    assert ends[:2] == [dt.date(2010, 2, 28), dt.date(2010, 3, 31)]
    assert today - dt.timedelta(days=31) <= ends[-1] < today


def test_only_what_is_asked_for_is_read(books) -> None:
    def plan(what: str) -> str:
        asked = sql.SQL("EXPLAIN (COSTS OFF) SELECT {} FROM payment.pace('2010-12-31', '450100') AS p")
        return "\n".join(line for (line,) in books.execute(asked.format(sql.SQL(what))).fetchall())

    assert plan("paid").count("division = '450100'") >= 3
    assert "payment" not in plan("count(*)")
