"""Which days people of a finance department work: weekdays, without holidays, with make-up days (调休)."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_SATURDAY = 5
_Days = Annotated[list[date], Field(max_length=2000)]


class Calendar(BaseModel):
    """What differs from Monday to Friday, as the State Council announces it each year."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holidays: _Days = []
    workdays: _Days = []

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        if day in self.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def last_of_month(self, day: date, count: int) -> bool:
        """Whether ``day`` is, or lies after, the first of the last ``count`` working days of its month."""
        following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        left, one = 0, following - timedelta(days=1)
        while one.month == day.month:
            left += self.works(one)
            if left == count:
                return day >= one
            one -= timedelta(days=1)
        return count > 0  # the month has fewer working days than that
