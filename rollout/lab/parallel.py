"""Several hosts at a time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Booting keeps a core busy for about half a second: more at once only makes each of them slower.
_AT_ONCE = 6

Progress = Callable[[str, str], None]


def quiet(_who: str, _what: str) -> None:
    """A Progress that tells nobody."""


def together(items: Iterable[T], work: Callable[[T], R], at_once: int = _AT_ONCE) -> list[R]:
    """``work`` for every item, some at a time; all have ended before the first error is raised."""
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        running = [pool.submit(work, item) for item in items]
    return [future.result() for future in running]
