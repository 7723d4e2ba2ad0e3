"""The countdown (倒排工期): from the day of going live back over items and working days."""

from dataclasses import dataclass
from datetime import date, timedelta

from rollout.progress.sheet import Item, Sheet
from rollout.waves.days import Calendar


def back(calendar: Calendar, day: date, count: int) -> date:
    """The day that lies ``count`` working days before ``day``."""
    while count:
        day -= timedelta(days=1)
        count -= calendar.works(day)
    return day


def ahead(calendar: Calendar, day: date, count: int) -> date:
    """The day that lies ``count`` working days after ``day``."""
    while count:
        day += timedelta(days=1)
        count -= calendar.works(day)
    return day


def between(calendar: Calendar, first: date, last: date) -> int:
    """Working days after ``first`` up to ``last``; 0 when ``last`` is not later."""
    days = max(0, (last - first).days)
    return sum(calendar.works(first + timedelta(days=n)) for n in range(1, days + 1))


@dataclass(frozen=True)
class Schedule:
    """When each item begins, and by when each sub-item is due.

    Attributes:
        begins: item → the last day on which it may begin.
        ends: item → by when it is done.
        due: sub-item → by when: spread over the item's days in order, the last one at its end.
    """

    begins: dict[str, date]
    ends: dict[str, date]
    due: dict[str, date]


def schedule(sheet: Sheet, calendar: Calendar, go_live: date) -> Schedule:
    """Planned dates, each as late as those that come after it allow."""
    ends: dict[str, date] = {}
    begins: dict[str, date] = {}
    for item in reversed(sheet.items):
        followers = [begins[other.id] for other in sheet.items if item.id in other.after]
        ends[item.id] = min(followers, default=go_live)
        begins[item.id] = back(calendar, ends[item.id], item.days)
    due = {
        part.id: _due(calendar, item, begins[item.id], ends[item.id], place)
        for item in sheet.items
        for place, part in enumerate(item.parts, 1)
    }
    return Schedule(begins, ends, due)


def _due(calendar: Calendar, item: Item, begin: date, end: date, place: int) -> date:
    if place == len(item.parts):
        return end
    return min(end, ahead(calendar, begin, -(-item.days * place // len(item.parts))))
