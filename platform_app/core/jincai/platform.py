"""What a running process holds, for whatever answers a request to find."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from jincai.database import Database
from jincai.freezing import Freezer, Seen
from jincai.identity import Loaded
from jincai.metrics import Metrics
from jincai.system import System


@dataclass(frozen=True)
class Platform:
    """One process.

    Attributes:
        loaded: what it loaded at start.
        systems: the access systems plugged in, by code.
        database: for requests.
        lane: one connection kept for health and version, so that load cannot make a process look ill.
        door: as the role that people log in through; sessions, passwords and keys are read by it alone.
        expected: dist → newest migration that the loaded code brings.
        metrics: its counters.
        services: what runs beside the requests, by name, such as ``payment.gatherer``.
        draining: set once the process is to end: who shares out requests is told to send no more.
        leaving: set a little later, for answers that would never end by themselves.
        frozen: whether payments are frozen, for the banner on every page.
    """

    loaded: Loaded
    systems: tuple[System, ...]
    database: Database
    lane: Database
    door: Database
    expected: dict[str, str]
    metrics: Metrics
    services: dict[str, object] = field(default_factory=dict)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    frozen: Seen = field(default_factory=Seen)

    @property
    def freezers(self) -> tuple[Freezer, ...]:
        """Of the systems that pay."""
        return tuple(system.freezer for system in self.systems if system.freezer)


def platform_of(request: Request) -> Platform:
    """The platform that answers ``request``."""
    platform = request.app.state.platform
    if not isinstance(platform, Platform):
        raise TypeError("the application was not made by jincai.app.create")
    return platform


# Dependencies are coroutines: plain functions would each be sent to a thread and back.
async def _platform(request: Request) -> Platform:
    return platform_of(request)


async def _database(request: Request) -> Database:
    return platform_of(request).database


PlatformOf = Annotated[Platform, Depends(_platform)]
DatabaseOf = Annotated[Database, Depends(_database)]
