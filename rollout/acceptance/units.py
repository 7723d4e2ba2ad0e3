"""What was delivered: ``units/<site>.yml`` beside the inventory's ``hosts.yml``, from the delivery sheet."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from rollout import documents
from rollout.errors import ConfigurationError
from rollout.inventory import Inventory, Site

FOLDER = "units"
Text = Annotated[str, Field(min_length=1, max_length=100)]


Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]


class Bmc(BaseModel):
    """A device's management controller; ``certificate``: its fingerprint, written like a host key's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, StringConstraints(pattern=r"^https://[0-9a-zA-Z.:\[\]-]+$")]
    certificate: Fingerprint


class Unit(BaseModel):
    """One device. ``host_key``: fingerprint as printed on the sheet, ``SHA256:…`` as OpenSSH writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serial: Text
    asset: Text
    host_key: Fingerprint
    bmc: Bmc | None = None


class _Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    delivered: str
    hosts: dict[str, Unit]


def load(inventory: Inventory, site: Site) -> dict[str, Unit]:
    """Host → its unit. ConfigurationError names file and key, or hosts that no sheet tells of."""
    file = Path(inventory.path) / FOLDER / f"{site.name}.yml"
    if not file.is_file():
        raise ConfigurationError(
            f"{file}: no delivery sheet of {site.name}", "Enter it from the paper: docs/acceptance.md."
        )
    sheet = documents.read(file, TypeAdapter(_Sheet), "See docs/acceptance.md.", empty={})
    names = {host.name for host in site.hosts.values()}
    odd = sorted(names ^ set(sheet.hosts))
    if odd:
        raise ConfigurationError(f"{file}: hosts: {', '.join(odd)}: in only one of sheet and inventory")
    serials = [unit.serial for unit in sheet.hosts.values()]
    if len(set(serials)) < len(serials):
        raise ConfigurationError(f"{file}: hosts: a serial appears twice")
    return sheet.hosts
