"""The simulated bank at work: takes instructions, tells receipts when they are due, waits out an outage."""

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeVar

from jincai_payment.bank.simulator.conduct import Conduct, Receipt
from jincai_payment.bank.simulator.socket import AwayError

# Bounds: receipts not told yet beyond which no more is taken, receipts told at once, seconds between tries.
PENDING_MOST = 5_000
TOLD_MOST = 500
IDLE_SECONDS = 1.0
WAIT_FIRST, WAIT_MOST = 0.2, 5.0

T = TypeVar("T")


class Platform(Protocol):
    """What the bank asks; `jincai_payment.bank.simulator.socket.Socket` is one."""

    def instructions(self) -> list[dict[str, Any]]:
        """Instructions handed out to us."""
        ...

    def receipts(self, told: list[Receipt]) -> list[dict[str, Any]]:
        """What became of our receipts."""
        ...


@dataclass
class Bank:
    """One bank.

    Attributes:
        stop: set from outside to end it after what it is doing.
        patience: seconds that the platform may be away at a stretch; None for ever.
        counts: what it did, for whoever looks.
    """

    platform: Platform
    conduct: Conduct
    stop: threading.Event
    patience: float | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[float, int, Receipt]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def run(self, *, once: bool = False) -> None:
        """Work until stopped; with ``once`` until there is nothing left to take or to tell.

        Raises:
            AwayError: the platform was away longer than patience lasts.
            RefusedError: the platform does not want us.
        """
        while not self.stop.is_set():
            taken = self._take() if len(self._due) < PENDING_MOST else 0
            told = self._tell()
            if once and not taken and not self._due:
                return
            if not taken and not told:
                self.stop.wait(self._pause())

    def _take(self) -> int:
        found = self._insist(self.platform.instructions) or []
        now = time.monotonic()
        for instruction in found:
            self.counts["again" if instruction["attempts"] > 1 else "taken"] += 1
            for late, receipt in self.conduct.answers(instruction):
                heapq.heappush(self._due, (now + late, next(self._numbers), receipt))
        return len(found)

    def _tell(self) -> int:
        now = time.monotonic()
        due: list[Receipt] = []
        while self._due and self._due[0][0] <= now and len(due) < TOLD_MOST:
            due.append(heapq.heappop(self._due)[2])
        if not due:
            return 0
        answers = self._insist(lambda: self.platform.receipts(due)) or []
        for receipt, answer in zip(due, answers, strict=False):
            outcome = answer["problem"] or ("repeated" if answer["again"] else receipt["outcome"])
            self.counts[outcome] += 1
        return len(due)

    def _insist(self, ask: Callable[[], T]) -> T | None:
        """The answer, however often the platform is away; None if we are stopped meanwhile."""
        wait, since = WAIT_FIRST, time.monotonic()
        while True:
            try:
                return ask()
            except AwayError:
                self.counts["away"] += 1
                if self.patience is not None and time.monotonic() - since > self.patience:
                    raise
            if self.stop.wait(wait):
                return None
            wait = min(2 * wait, WAIT_MOST)

    def _pause(self) -> float:
        if not self._due:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, self._due[0][0] - time.monotonic()))
