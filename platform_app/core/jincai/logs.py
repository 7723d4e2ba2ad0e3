"""What a process writes to its log: one form for all, readable while the database is away."""

import logging
import time

FORM = "%(levelname)s: %(message)s"
AGAIN_AFTER_SECONDS = 60


class NotAgain(logging.Filter):
    """Lets a message pass once a minute: the pool says the same at each of its attempts."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` is new, or old enough to be said again."""
        now, message = time.monotonic(), record.getMessage()
        self._passed = {text: at for text, at in self._passed.items() if now - at < AGAIN_AFTER_SECONDS}
        if message in self._passed:
            return False
        self._passed[message] = now
        return True


def configure() -> None:
    """Log to standard error, without the time: the journal adds it."""
    logging.basicConfig(level=logging.INFO, format=FORM)
    pool = logging.getLogger("psycopg.pool")
    pool.setLevel(logging.WARNING)
    pool.addFilter(NotAgain())
