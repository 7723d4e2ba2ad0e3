"""One command at a time on a site."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rollout.errors import HeldError
from rollout.lab.record import RUN


@contextmanager
def hold(sites: list[str]) -> Iterator[None]:
    """Holds the sites; raises HeldError that names who holds one already."""
    RUN.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for site in sorted(sites):
            lock = stack.enter_context((RUN / f"{site}.lock").open("a+", encoding="utf-8"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise HeldError(
                    f"site {site} is being worked on by another command ({lock.read().strip()})",
                    "Wait until it has ended, or end it.",
                ) from None
            lock.truncate(0)
            lock.write(f"process {os.getpid()}: {' '.join(sys.argv)}"[:300])
            lock.flush()
        yield
