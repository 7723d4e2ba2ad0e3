"""`jincai drop`: goes round the folders of the outside systems until it is told to stop."""

import contextlib
import fcntl
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jincai.errors import ConfigurationError
from jincai.language import Language
from jincai.socket.client import Client, UnreachableError
from jincai.socket.drop.deliver import Delivery
from jincai.socket.drop.folder import Folder, NotAFileError, TooLargeError
from jincai.socket.drop.station import Station

log = logging.getLogger(__name__)

ANSWER_SECONDS = 60.0
_SYSTEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_KEY_BYTES_MOST = 200


@dataclass(frozen=True)
class Drop:
    """What the service works on.

    Attributes:
        folder: holds one folder for each outside system.
        keys: holds one file for each, named like its folder: the API key it pushes with.
        url: the platform.
        ca: certificates to trust it by, PEM; None: the machine's.
        every: seconds between two rounds.
        quiet: how long an unmarked file must have been left alone.
        lang: of the answers.
        told: what the log was told last of each system.
    """

    folder: Path
    keys: Path
    url: str
    ca: Path | None
    every: float
    quiet: float
    lang: Language
    told: dict[str, str] = field(default_factory=dict)

    def run(self, *, once: bool) -> int:
        """Go round, once or until SIGTERM; how many files were answered.

        Raises:
            ConfigurationError: a folder is missing, or another service works on it.
        """
        answered = 0
        with _only_one(self.folder) as folder, _stopping() as stop:
            while True:
                answered += self._round(folder)
                if once or stop.wait(self.every):
                    return answered

    def _round(self, folder: Folder) -> int:
        answered = 0
        for system in folder.names():
            if not _SYSTEM.fullmatch(system) or not folder.is_folder(system):
                continue
            if not (key := self._key(system)):
                self._tell(system, "no key in the folder of keys, so its files wait")
                continue
            client = Client(self.url, key, seconds=ANSWER_SECONDS, ca=self.ca, lang=self.lang)
            try:
                with contextlib.closing(folder.inside(system)) as inside:
                    station = Station(system, inside, self.lang, self.quiet)
                    answered += station.round(Delivery(client, self.lang))
                self._tell(system, station.waiting and f"files wait: {station.waiting}")
            except UnreachableError as error:
                self._tell(system, f"files wait: {error.message}")
                break
            except OSError as error:  # one system's folders are wrong: the others go on
                self._tell(system, f"its folders are wrong: {error}")
        return answered

    def _tell(self, system: str, text: str) -> None:
        """Into the log, once until it changes: a round comes every few seconds."""
        if text and self.told.get(system) != text:
            log.warning("drop %s: %s", system, text)
        self.told[system] = text

    def _key(self, system: str) -> str:
        with contextlib.closing(Folder.open(self.keys)) as keys, contextlib.suppress(FileNotFoundError):
            try:
                return keys.read(system, _KEY_BYTES_MOST).decode("ascii").strip()
            except (NotAFileError, TooLargeError, UnicodeDecodeError):
                return ""
        return ""


@contextmanager
def _only_one(path: Path) -> Iterator[Folder]:
    """The folder, locked: two services would take the same file."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", "Name a folder that exists.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.closing(Folder.open(path)) as folder:
            yield folder
    except BlockingIOError:
        raise ConfigurationError(f"another jincai drop works on {path}", "Stop it first.") from None
    finally:
        os.close(lock)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by SIGTERM or SIGINT: the round that is under way ends by itself."""
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
