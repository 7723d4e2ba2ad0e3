"""Several sites at a time; one that fails keeps those from beginning that have not begun."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from rollout.apply.play import Stopped
from rollout.errors import RolloutError
from rollout.inventory import Site
from rollout.waves.walk import May

_POLL = 0.2


@dataclass
class SideBySide:
    """The sites of one wave.

    Attributes:
        do: brings one site to the release; called in a thread of its own.
        parallel: sites at a time.
        may_begin: asked before each.
        stop: set when the run is to end.
        say: told at once when one fails and others go on.
    """

    do: Callable[[Site], None]
    parallel: int
    may_begin: Callable[[], May]
    stop: threading.Event
    say: Callable[[str], None]
    errors: list[RolloutError] = field(default_factory=list)

    def run(self, sites: Sequence[Site]) -> list[RolloutError]:
        """All of them, or why not; what is no RolloutError is raised, once the others have ended."""
        waiting, running = list(sites), dict[Future[None], Site]()
        with ThreadPoolExecutor(self.parallel) as pool:
            while running or (waiting and not self.errors and self.may_begin() != "never"):
                while self._next(waiting, running):
                    site = waiting.pop(0)
                    running[pool.submit(self.do, site)] = site
                if not running:
                    self.stop.wait(_POLL)
                for future in wait(running, _POLL, FIRST_COMPLETED).done:
                    running.pop(future)
                    self._ended(future, more=bool(running or waiting))
        if waiting:
            self.say(f"not begun: {', '.join(site.name for site in waiting)}")
            self.errors = self.errors or [Stopped("stopped on request", "The next apply goes on from here.")]
        return self.errors

    def _next(self, waiting: Sequence[Site], running: dict[Future[None], Site]) -> bool:
        free = waiting and len(running) < self.parallel and not self.errors
        return bool(free and self.may_begin() == "now")

    def _ended(self, future: Future[None], *, more: bool) -> None:
        error = future.exception()
        if isinstance(error, RolloutError):
            self.errors.append(error)
            if more:  # the others take their time; the rest is said at the end
                self.say(error.message)
        elif error:
            self.stop.set()
            raise error
