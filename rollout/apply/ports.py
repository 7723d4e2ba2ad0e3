"""The other parts that an apply stands on, in one place; tests put their own here."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rollout.apply.child import Work
from rollout.apply.journal import Journal
from rollout.apply.play import Event, Outcome, Player
from rollout.audit.audit import Seen, look
from rollout.audit.build import Build
from rollout.depot.push import push
from rollout.depot.remote import Remote as Channel
from rollout.depot.ssh import SshHost
from rollout.inventory import Host, Inventory, Site
from rollout.paths import Home, content
from rollout.plan.make import Made, make
from rollout.release.manifest import Manifest
from rollout.release.verify import public_key, verify_build


class Maker(Protocol):
    """Audits and plans."""

    def __call__(
        self, home: Home, inventory: Inventory, sites: list[Site], build: Build, *, rollback: bool = False
    ) -> Made:
        """The plan for ``sites``, and the audit that it was made from."""


class Pusher(Protocol):
    """Brings a build to a host."""

    def __call__(
        self, folder: Path, manifest: Manifest, remote: Channel, *, progress: Callable[[int, int], None]
    ) -> None:
        """Copies what is not there yet."""


class Playing(Protocol):
    """Runs playbooks of one run at one site."""

    def play(self, work: Work, managed: Path | None, watch: Callable[[Event], None]) -> Outcome:
        """Runs one to its end."""


@dataclass(frozen=True)
class Ports:
    """Each is a function or class that stands on its own."""

    content: Callable[[], Path] = content
    connect: Callable[[Host, Home], Channel] = SshHost
    verify: Callable[[Path, Path], Manifest] = verify_build
    public_key: Callable[[Home], Path] = public_key
    push: Pusher = push
    player: Callable[[Home, Journal, str, str, threading.Event], Playing] = Player
    make: Maker = make
    look: Callable[[Home, Inventory, list[Site], Build], Seen] = look
