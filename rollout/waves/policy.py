"""How a release goes over the sites: ``waves.yml`` beside the inventory's ``hosts.yml``."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from rollout import documents
from rollout.inventory.model import SiteName
from rollout.waves.window import Window

FILE = "waves.yml"
_DAYS = 30 * 24 * 3600
_Seconds = Annotated[int, Field(ge=0, le=_DAYS)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Soak(_Part):
    """How long the sites of a wave are watched before the next wave, in seconds.

    Attributes:
        pilot, canary, wave: after the region, after the canary city, after each later wave.
        every: between two looks.
        fails: so many looks in a row must find the same gate shut.
    """

    pilot: _Seconds = 0
    canary: _Seconds = 0
    wave: _Seconds = 0
    every: Annotated[int, Field(ge=1, le=3600)] = 10
    fails: Annotated[int, Field(ge=1, le=100)] = 2


class Gates(_Part):
    """What must hold while a site is watched.

    Attributes:
        errors_percent: answers with 5xx among those since the watch began, at most.
        lag_bytes: how far the standby may be behind.
        free_percent: of the disk that holds the data, at least.
        units: whether a failed systemd unit shuts the gate.
        alarms: whether an alarm of etcd, or WAL that is not archived, does.
    """

    errors_percent: Annotated[float, Field(ge=0, le=100)] = 1.0
    lag_bytes: Annotated[int, Field(ge=0)] = 16 * 1024 * 1024
    free_percent: Annotated[float, Field(ge=0, le=100)] = 5.0
    units: bool = True
    alarms: bool = True


class Policy(_Part):
    """Without a file: the region, then all cities, whenever, with nobody watching.

    Attributes:
        canary: the city that goes first, alone; None: no canary.
        cities: so many make a wave; None: all the others.
        soak, gates, window: as above; no window: at any time.
    """

    canary: SiteName | None = None
    cities: Annotated[int, Field(ge=1, le=1000)] | None = None
    soak: Soak = Soak()
    gates: Gates = Gates()
    window: Window | None = None


def load(inventory: Path) -> Policy:
    """The policy of an inventory; ConfigurationError names the file and every key that is wrong."""
    file = inventory / FILE
    if not file.is_file():
        return Policy()
    return documents.read(file, TypeAdapter(Policy), "docs/waves.md says what may stand there.", empty={})
