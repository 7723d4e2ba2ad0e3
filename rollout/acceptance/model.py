"""An acceptance: every check of every host, what was wanted, what was found, and the verdict."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["passed", "failed", "not_checked"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Part):
    """One check. ``not_checked`` says why, and is no pass: what was bought must be seen."""

    host: str
    name: str
    wanted: str
    found: str
    verdict: Verdict
    why: str = ""


class Device(_Part):
    """Which device it was."""

    host: str
    model: str
    title: str
    serial: str
    asset: str


class Acceptance(_Part):
    """The certificate's content; signed by the control node's report key."""

    format: Literal[1] = 1
    site: str
    title: str
    taken_at: datetime
    taken_by: str
    rollout_version: str
    accepted: bool
    devices: list[Device]
    checks: list[Check]

    @property
    def bad(self) -> list[Check]:
        """What keeps it from being accepted."""
        return [check for check in self.checks if check.verdict != "passed"]


class Nic(_Part):
    """A network interface that is up."""

    name: str
    mbps: int | None


class Disks(_Part):
    """Whole disks, and the size of the file system with the data."""

    count: int | None
    gib: int


class Discovered(_Part):
    """What a host says of itself; None or empty where it does not tell."""

    cores: int
    memory_mib: int
    disks: Disks
    nics: list[Nic]
    bonded: bool
    fsync_p99_ms: float
    clock_ms: float | None
    virtual: str
    firmware: dict[str, str]
    serial: str


class Line(_Part):
    """The line to the region, as measured."""

    loss_percent: float
    latency_ms: float | None
    bandwidth_mbps: float | None
