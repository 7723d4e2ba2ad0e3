"""The trend as one page for people: nothing loaded from anywhere, printable."""

from collections.abc import Sequence
from datetime import datetime

from rollout import pages
from rollout.audit.chinese import KINDS
from rollout.audit.trend import Trend
from rollout.clock import SHANGHAI

_HEIGHT = 120  # of the tallest bar, in pixels


def render(found: Trend, now: datetime, refused: Sequence[str]) -> str:
    """The page; ``refused``: kept files that are no evidence."""
    environment = pages.environment()
    environment.filters["when"] = lambda moment: f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    most = max((day.open for day in found.days), default=0)
    return environment.get_template("audit-trend.html.j2").render(
        days=found.days,
        heights=[round(day.open / most * _HEIGHT) if most else 0 for day in found.days],
        standing=[one for one in found.findings if one.gone_at is None],
        gone=sorted(
            (one for one in found.findings if one.gone_at), key=lambda one: one.last_seen, reverse=True
        ),
        kinds=KINDS,
        lasted=lasted,
        now=now,
        refused=refused,
    )


def lasted(hours: float) -> str:
    """A length of time as people say it."""
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"
