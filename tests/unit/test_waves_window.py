"""When a site may be touched; days and clocks are passed in."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rollout.clock import SHANGHAI
from rollout.waves.days import Calendar
from rollout.waves.window import Window

MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=minutes)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        # The last three working days of that November are the 26th, the 27th and the 30th.
        ("2026-11-24T20:00", ""),
        ("2026-11-24T23:59", ""),
        ("2026-11-25T20:00", "last 3 working days"),
        ("2026-11-25T05:59", ""),
        ("2026-11-25T06:00", "by day"),
        ("2026-11-25T12:00", "by day"),
        ("2026-11-26T20:30", "2026-11-26 is one of"),
        ("2026-11-28T20:30", "or after them"),
        ("2026-12-20T21:00", "closing of the year"),
        ("2026-12-19T21:00", "closing of the year"),  # its morning is the 20th
        ("2027-01-10T21:00", "closing of the year"),
        ("2027-01-11T21:00", ""),
    ],
)
def test_nights_that_are_open(moment: str, why: str) -> None:
    said = Window().closed(at(moment))
    assert why in said
    assert bool(said) == bool(why)


def test_holidays_and_make_up_days_move_the_end_of_a_month() -> None:
    calendar = Calendar(holidays=[date(2026, 9, 30)], workdays=[date(2026, 9, 27)])
    last = [day for day in range(1, 31) if calendar.last_of_month(date(2026, 9, day), 3)]
    assert last == [27, 28, 29, 30]
    assert not calendar.works(date(2026, 9, 30))
    assert calendar.works(date(2026, 9, 27))


@given(MOMENTS)
def test_it_opens_at_the_first_moment_that_is_not_closed(moment: datetime) -> None:
    window = Window()
    opens = window.opens(moment)
    assert opens >= moment
    assert not window.closed(opens)
    hours = int((opens - moment) / timedelta(hours=1))
    assert all(window.closed(moment + timedelta(hours=n)) for n in range(hours))


@given(st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.integers(1, 10))
def test_the_last_days_of_a_month_hold_that_many_working_days(day: date, count: int) -> None:
    calendar = Calendar(holidays=[date(2026, 10, n) for n in range(1, 8)])
    month = [day.replace(day=1) + timedelta(days=n) for n in range(31)]
    month = [one for one in month if one.month == day.month]
    last = [one for one in month if calendar.last_of_month(one, count)]
    assert sum(calendar.works(one) for one in last) == min(count, sum(calendar.works(one) for one in month))
    assert last == month[len(month) - len(last) :]


def test_clocks_as_yaml_reads_them() -> None:
    assert Window.model_validate({"begins": 22 * 60, "ends": "05:30"}).begins == time(22, 0)
    for wrong in ({"begins": "05:00", "ends": "06:00"}, {"year_end": ["13-01", "01-10"]}, {"begins": 99999}):
        with pytest.raises(ValidationError):
            Window.model_validate(wrong)
