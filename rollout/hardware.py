"""Hardware models: what was bought, and which Debian packages each one needs (kernel, firmware, tools)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from rollout import documents
from rollout.errors import ConfigurationError
from rollout.paths import content

HostKind = Literal["minicomputer", "storage"]
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Part):
    """What the line between a site's storage device and the region's must carry."""

    bandwidth_mbps: Annotated[float, Field(gt=0)]
    latency_ms: Annotated[float, Field(gt=0)]
    loss_percent: Annotated[float, Field(ge=0, le=100)]


class Redfish(_Part):
    """What the management controller must tell: so many that are well, at least; exact firmware."""

    power_supplies: Annotated[int, Field(ge=1)] | None = None
    fans: Annotated[int, Field(ge=1)] | None = None
    drives: Annotated[int, Field(ge=1)] | None = None
    firmware: dict[Literal["bmc", "bios"], str] = {}


class Requirements(_Part):
    """What was bought; None: not asked for, because this model cannot tell or does not have it.

    Attributes:
        cores, memory_mib, disk_gib, disks, nics: at least.
        nic_mbps: of the slowest network interface that counts.
        fsync_p99_ms: of 4 KiB written and synced to the disk with the data.
        clock_ms: how far the clock may be off.
        bonded: whether two network interfaces must carry each other's load.
        firmware: component → exact version, as DMI tells it.
        virtual: whether a container or a virtual machine will do; then it needs no serial.
        link: on storage devices only.
        redfish: what only the management controller sees; None: nothing is asked of it.
    """

    cores: Annotated[int, Field(ge=1)] | None = None
    memory_mib: Annotated[int, Field(ge=1)] | None = None
    disks: Annotated[int, Field(ge=1)] | None = None
    disk_gib: Annotated[int, Field(ge=1)] | None = None
    nics: Annotated[int, Field(ge=1)] | None = None
    nic_mbps: Annotated[int, Field(ge=10)] | None = None
    fsync_p99_ms: Annotated[float, Field(gt=0)] | None = None
    clock_ms: Annotated[float, Field(gt=0)] | None = None
    bonded: bool = False
    virtual: bool = False
    firmware: dict[Literal["bios", "board", "system"], str] = {}
    link: Link | None = None
    redfish: Redfish | None = None


class Model(_Part):
    """One file under ``hardware/models/``."""

    model: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    kind: HostKind
    packages: list[PackageName] = []
    requires: Requirements = Requirements()


def load_models(folder: Path | None = None) -> dict[str, Model]:
    """Every model by name; a file that is wrong is named with its key."""
    models = {}
    for file in sorted((folder or content() / "hardware" / "models").glob("*.yml")):
        model = documents.read(file, TypeAdapter(Model))
        if model.model != file.stem:
            raise ConfigurationError(f"{file}: model: {model.model} must be the file's name")
        models[model.model] = model
    return models
