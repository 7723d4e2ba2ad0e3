"""When a site may be touched: at night, not when a month is closed, not when a year is."""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rollout.waves.days import Calendar

_MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_SEARCH_DAYS = 400


def _clock(value: object) -> object:
    """YAML reads 20:00 as the number 1200."""
    if isinstance(value, int) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    return value


def _month_day(value: object) -> object:
    if not isinstance(value, str) or not _MONTH_DAY.match(value):
        raise ValueError("write it as MM-DD, in quotes")
    return value


Clock = Annotated[time, BeforeValidator(_clock)]
MonthDay = Annotated[str, BeforeValidator(_month_day)]


class Window(BaseModel):
    """A night belongs to the evening that it begins on.

    Attributes:
        begins, ends: of a night, Beijing time.
        month_end: so many working days at a month's end are left alone.
        year_end: from which day to which day the year is closed; may go over New Year.
        calendar: which days are working days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: Clock = time(20, 0)
    ends: Clock = time(6, 0)
    month_end: Annotated[int, Field(ge=0, le=15)] = 3
    year_end: tuple[MonthDay, MonthDay] | None = ("12-20", "01-10")
    calendar: Calendar = Calendar()

    @model_validator(mode="after")
    def _is_a_night(self) -> Self:
        if self.begins <= self.ends:
            raise ValueError("begins must be later in the day than ends: a window goes over midnight")
        return self

    def closed(self, at: datetime) -> str:
        """Why nothing may begin at ``at`` (Beijing time); empty when it may."""
        if self.ends <= at.time() < self.begins:
            return f"by day; nights are {self.begins:%H:%M} to {self.ends:%H:%M}"
        evening = at.date() if at.time() >= self.begins else at.date() - timedelta(days=1)
        for day in (evening, evening + timedelta(days=1)):
            if self.month_end and self.calendar.last_of_month(day, self.month_end):
                return f"{day} is one of the last {self.month_end} working days of a month, or after them"
            if self._closes_year(f"{day:%m-%d}"):
                return f"{day} is within the closing of the year"
        return ""

    def opens(self, at: datetime) -> datetime:
        """The first moment from ``at`` on at which something may begin."""
        moment = at
        for _ in range(_SEARCH_DAYS):
            if not self.closed(moment):
                return moment
            evening = datetime.combine(moment.date(), self.begins, moment.tzinfo)
            midnight = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
            moment = evening if moment < evening else midnight
        raise ValueError("this window never opens")

    def _closes_year(self, day: str) -> bool:
        if self.year_end is None:
            return False
        first, last = self.year_end
        return first <= day <= last if first <= last else day >= first or day <= last
