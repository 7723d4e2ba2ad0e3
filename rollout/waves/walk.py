"""From wave to wave: when one may begin, how long its sites are watched, what happens when a gate shuts."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from rollout import clock
from rollout.apply.play import Stopped
from rollout.errors import ApplyError, Exit, RolloutError
from rollout.inventory import Site
from rollout.waves.gates import Seen, Verdict, judge, shut
from rollout.waves.log import WaveLog
from rollout.waves.plan import Wave
from rollout.waves.policy import Policy

_LOOK_SECONDS = 1.0
_WINDOW_SECONDS = 30.0
_AGAIN = "The next apply goes on from here."


May = Literal["now", "later", "never"]


class WindowError(RolloutError):
    """Nothing may begin now; nothing was begun."""

    exit_code = Exit.FINDINGS


class GateError(ApplyError):
    """A gate shut while sites were watched; later waves were not begun."""


class Work(Protocol):
    """What is done at the sites of a wave."""

    def apply(self, wave: Wave, may_begin: Callable[[], May]) -> list[RolloutError]:
        """Brings them to the release, each only while ``may_begin`` says so."""

    def settled(self, wave: Wave) -> bool:
        """Whether there is nothing to do at any of them, and they were watched to the end before."""

    def look(self, site: Site) -> Seen:
        """How a site is."""

    def roll_back(self, site: Site) -> str:
        """Back to what it ran before; what was done. RolloutError when that is not possible."""


@dataclass
class Walk:
    """One run's way over its waves."""

    policy: Policy
    log: WaveLog
    run: str
    say: Callable[[str], None]
    stop: threading.Event
    wait_window: bool = False
    outside: str = ""  # why it may go on outside the window
    auto_rollback: bool = True
    now: Callable[[], datetime] = clock.now

    def go(self, waves: Sequence[Wave], work: Work) -> list[RolloutError]:
        """Wave after wave until one fails; the errors of the last one."""
        for wave in waves:
            if work.settled(wave):
                self.log.begin(self.run, wave.number)
                self.log.end(self.run, wave.number, "done", "nothing to do")
                continue
            if len(waves) > 1:
                self.say(f"{wave.name} ({wave.number} of {len(waves)}): {', '.join(wave.names)}")
            errors = self._one(wave, work)
            if errors:
                left = [name for later in waves if later.number > wave.number for name in later.names]
                if left:
                    self.say(f"not begun: {', '.join(left)}")
                return errors
        return []

    def _one(self, wave: Wave, work: Work) -> list[RolloutError]:
        try:
            self._may_begin()
        except RolloutError as error:
            return [error]
        self.log.begin(self.run, wave.number)
        errors = work.apply(wave, self._still)
        if errors:
            stopped = all(isinstance(error, Stopped) for error in errors)
            text = "\n".join(error.message for error in errors)
            self.log.end(self.run, wave.number, "stopped" if stopped else "failed", text)
            return errors
        try:
            found = self._watch(wave, work) if wave.soak else {}
        except Stopped as error:
            self.log.end(self.run, wave.number, "stopped", error.message)
            return [error]
        if found:
            return [self._shut(wave, work, found)]
        self.log.end(self.run, wave.number, "done")
        return []

    # ---- may it begin -------------------------------------------------------------------------------------

    def _may_begin(self) -> None:
        """Waits out a pause and, if that was asked for, the window. Raises Stopped or WindowError."""
        told = False
        while self._wanted() == "pause":
            if not told:
                self.say("paused; `rollout waves resume` goes on")
            told = True
            self._sleep(_LOOK_SECONDS)
        if self._wanted() == "stop" or self.stop.is_set():
            raise Stopped("stopped on request", _AGAIN)
        self._wait_window()

    def _wait_window(self) -> None:
        closed = self._closed()
        if closed and not self.wait_window:
            raise Stopped(f"outside the window: {closed}", f"{self._opens()} {_AGAIN}")
        if closed:
            self.say(f"outside the window: {closed}; waiting. {self._opens()}")
        while self._closed():
            if self._wanted() == "stop" or self.stop.is_set():
                raise Stopped("stopped on request", _AGAIN)
            self._sleep(_WINDOW_SECONDS)

    def _still(self) -> May:
        """Whether the next site of a wave may begin, too."""
        wanted, closed = self._wanted(), self._closed()
        if wanted == "stop" or self.stop.is_set() or (closed and not self.wait_window):
            return "never"
        return "later" if wanted == "pause" or closed else "now"

    def _wanted(self) -> str | None:
        return self.log.wanted(self.run)

    def _closed(self) -> str:
        window = self.policy.window
        return window.closed(self.now()) if window and not self.outside else ""

    def _opens(self) -> str:
        return (
            f"The window opens at {self.policy.window.opens(self.now()):%Y-%m-%d %H:%M}."
            if self.policy.window
            else ""
        )

    # ---- watching -----------------------------------------------------------------------------------------

    def _watch(self, wave: Wave, work: Work) -> dict[str, list[Verdict]]:
        """Site → the gates that shut, as soon as one stays shut; empty when all stayed open to the end."""
        soak = self.policy.soak
        self.log.watch(self.run, wave.number)
        self.say(f"{wave.name}: watched for {wave.soak} s")
        first = {site.name: work.look(site) for site in wave.sites}
        bad = dict.fromkeys(wave.names, 0)
        end = time.monotonic() + wave.soak
        while True:
            for site in wave.sites:
                verdicts = judge(self.policy.gates, first[site.name], work.look(site))
                self.log.gates(self.run, wave.number, site.name, verdicts)
                closed = shut(verdicts)
                bad[site.name] = bad[site.name] + 1 if closed else 0
                if bad[site.name] >= soak.fails:
                    return {site.name: closed}
            # Whoever is shut just now gets its chance to open again, or to stay shut.
            if time.monotonic() >= end and not any(bad.values()):
                return {}
            if self._wanted() == "stop" or self.stop.is_set():
                raise Stopped(f"{wave.name}: stopped on request while it was watched", _AGAIN)
            self._sleep(min(soak.every, max(0.1, end - time.monotonic())))

    def _shut(self, wave: Wave, work: Work, found: dict[str, list[Verdict]]) -> GateError:
        """The report, after the sites of the wave went back."""
        why = "; ".join(
            f"{site}: gate {one.gate}: {one.figure}" for site, those in found.items() for one in those
        )
        self.say(f"{wave.name}: a gate shut: {why}")
        done = [self._back(site, work) for site in wave.sites] if self.auto_rollback else []
        back = bool(done) and all(well for well, _ in done)
        text = "\n  ".join(
            [f"{wave.name}: a gate shut while it was watched", why, *(said for _, said in done)]
        )
        self.log.end(self.run, wave.number, "back" if back else "failed", text)
        return GateError(text, "Later waves were not begun. Mend what the gate names, then apply again.")

    def _back(self, site: Site, work: Work) -> tuple[bool, str]:
        try:
            return True, f"{site.name}: rolled back: {work.roll_back(site)}"
        except RolloutError as error:
            return False, f"{site.name}: not rolled back: {error.message}"

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)


def refuse_outside(policy: Policy, at: datetime, *, wait: bool, outside: str) -> None:
    """Before anything is begun: WindowError when the window is closed and nobody waits for it."""
    if policy.window is None or wait or outside:
        return
    closed = policy.window.closed(at)
    if closed:
        raise WindowError(
            f"outside the window: {closed}; it opens at {policy.window.opens(at):%Y-%m-%d %H:%M}",
            "Nothing was done. Wait for it with --wait-window, or say why not with --outside-window REASON.",
        )
