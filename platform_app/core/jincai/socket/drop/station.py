"""One outside system's folders: takes what is complete, answers it, puts it away.

``in`` belongs to the outside system. What is taken is moved to ``work`` and copied there, so that nobody
changes it any more; from ``work`` it goes to ``done`` or ``refused`` after its answer is in ``out``. Killed
anywhere, the next round goes on from what the folders say.
"""

import hashlib
import logging
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass

from jincai.language import Language
from jincai.socket.drop import receipt
from jincai.socket.drop.deliver import Delivery, Dropped, NotNowError
from jincai.socket.drop.folder import Folder, NotAFileError, TooLargeError
from jincai.socket.drop.lines import FILE_BYTES_MOST, FileRefusedError, Mistake

log = logging.getLogger(__name__)

# A file without a marker counts as complete when nobody has written to it for so long.
QUIET_SECONDS = 10.0
MARKER = ".done"
_CHECKED = ".checked"
_CLAIMED = ".claimed"
_STEM_MOST = 100
_NAME = re.compile(r"(?P<stem>.+)\.(?P<form>csv|xml)", re.IGNORECASE | re.DOTALL)
_TAKEN = re.compile(r"(?P<stem>[A-Za-z0-9_.-]+)\.(?P<digest>[0-9a-f]{12})\.(?P<form>csv|xml)")
_IS_CLAIMED = re.compile(r"(?P<stem>[A-Za-z0-9_.-]+)\.claimed\.(?P<form>csv|xml)")
_KIND = re.compile(r"[a-z][a-z0-9_]{1,31}")


@dataclass
class Station:
    """The folders of ``system`` inside ``folder``; ``quiet`` as `QUIET_SECONDS`.

    ``waiting``: why a file could not be delivered in the last round, "" if none had to wait.
    """

    system: str
    folder: Folder
    lang: Language
    quiet: float = QUIET_SECONDS
    waiting: str = ""

    def round(self, delivery: Delivery) -> int:
        """Go on with what was taken before, then take and answer what is complete; how many were answered.

        Raises:
            UnreachableError: the platform does not answer; everything stays where it is.
        """
        with ExitStack() as stack:

            def opened(name: str) -> Folder:
                folder = self.folder.inside(name)
                stack.callback(folder.close)
                return folder

            desk = _Desk(self, opened("in"), opened("out"), opened("work"), opened("done"), opened("refused"))
            answered = len(desk.claimed())  # of a round that was killed
            for name in desk.complete():
                desk.take(name)
                answered += len(desk.claimed())
            return answered + sum(desk.finish(delivery, name) for name in desk.work.names())


@dataclass
class _Desk:
    station: Station
    inbox: Folder
    out: Folder
    work: Folder
    done: Folder
    refused: Folder

    def complete(self) -> list[str]:
        """Names of files that may be taken: marked, or left alone for a while."""
        present = self.inbox.names()
        now = time.time()
        return [name for name in present if _NAME.fullmatch(name) and self._is_complete(name, present, now)]

    def _is_complete(self, name: str, present: list[str], now: float) -> bool:
        if name.startswith(".") or self.inbox.is_folder(name):
            return False
        try:
            return f"{name}{MARKER}" in present or self.inbox.age(name, now) >= self.station.quiet
        except FileNotFoundError:  # taken back by its owner
            return False

    def take(self, name: str) -> None:
        """Move the file out of its owner's reach, under a safe name."""
        self.inbox.remove(name + MARKER)  # first: left behind, it would vouch for the next file of this name
        stem, form = _safe(name)
        self.inbox.move(name, self.work, f"{stem}{_CLAIMED}.{form}")

    def claimed(self) -> list[str]:
        """Copy what was moved here: no open handle changes the copy. Names of what was refused unread."""
        refused = []
        for name in self.work.names():
            if not (found := _IS_CLAIMED.fullmatch(name)):
                continue
            stem, form = found["stem"], found["form"]
            try:
                data = self.work.read(name, FILE_BYTES_MOST)
            except (NotAFileError, TooLargeError) as error:
                self._refuse(stem, name, error)
                refused.append(name)
                continue
            self.work.write(f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}.{form}", data)
            self.work.remove(name)
        return refused

    def finish(self, delivery: Delivery, taken: str) -> bool:
        """Deliver the file ``taken``, answer it and put it away; false if it has to wait."""
        found = _TAKEN.fullmatch(taken)
        if not found:
            return False
        stem, form = found["stem"], found["form"]
        kind = _KIND.match(stem)
        file = Dropped(kind[0] if kind else "", form, self.work.read(taken, FILE_BYTES_MOST))
        checked = taken + _CHECKED
        try:
            delivered = delivery.deliver(
                file, checked=self.work.has(checked), now_checked=lambda: self.work.write(checked, b"")
            )
        except NotNowError as error:
            self.station.waiting = error.reason
            return False
        except (LookupError, TypeError, ValueError) as error:
            # A mistake of ours, or an answer of no known shape: this file waits, the others go on.
            self.station.waiting = f"{taken}: {error!r}"
            return False
        except FileRefusedError as error:
            self.out.write(f"{stem}.refused.csv", receipt.refusal(error.mistakes))
            self._put_away(taken, self.refused)
            log.info("drop %s: %s refused, %d mistakes", self.station.system, taken, len(error.mistakes))
            return True
        self.out.write(f"{stem}.receipt.{form}", receipt.receipt(form, delivered.lines, delivered.results))
        self._put_away(taken, self.done)
        log.info("drop %s: %s done, %d lines", self.station.system, taken, len(delivered.lines))
        return True

    def _put_away(self, taken: str, to: Folder) -> None:
        self.work.move(taken, to, taken)
        self.work.remove(taken + _CHECKED)

    def _refuse(self, stem: str, name: str, error: Exception) -> None:
        if isinstance(error, TooLargeError):
            most = f"{FILE_BYTES_MOST:,}"
            expected = f"不超过 {most} 字节" if self._zh else f"{most} bytes at most"
        else:
            expected = "可读取的普通文件" if self._zh else "a regular file that may be read"
        self.out.write(
            f"{stem}.refused.csv", receipt.refusal([Mistake(0, 0, "", name.replace(_CLAIMED, ""), expected)])
        )
        self.work.move(name, self.refused, f"{stem}.{int(time.time()):x}{name[name.rindex('.') :]}")

    @property
    def _zh(self) -> bool:
        return self.station.lang == "zh"


def _safe(name: str) -> tuple[str, str]:
    """Stem and form of a file's name, with nothing in the stem but letters, digits, dot, dash and underline.

    A stem that had to be changed carries a digest of the old one, so that two do not become one.
    """
    found = _NAME.fullmatch(name)
    stem, form = (found["stem"], found["form"].lower()) if found else (name, "csv")
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", stem)[:_STEM_MOST]
    if safe != stem:
        safe += "-" + hashlib.sha256(stem.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return safe, form
