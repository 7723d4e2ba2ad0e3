"""The business clock: everything a person reads is in China's time."""

from datetime import datetime, timedelta, timezone

# China keeps one time without summer time, so no time zone database is needed: a bare host has none.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """The present second, with its offset."""
    return datetime.now(SHANGHAI).replace(microsecond=0)
