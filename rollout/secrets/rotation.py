"""A secret of a site is renewed: the new value is in the vault, the old one beside it until all is done.

``rotating.yml`` is encrypted like the vault. It is written before the vault, and removed when the site runs
with the new value everywhere; whoever finds it goes on with the same new value.
"""

from contextlib import suppress
from datetime import datetime

import yaml
from pydantic import BaseModel, ConfigDict, Field

from rollout import clock
from rollout.errors import ConfigurationError
from rollout.files import locked, sync_folder, write
from rollout.paths import Home
from rollout.secrets import vault
from rollout.secrets.store import GENERATED

FILE = "rotating.yml"
PREFIX = "secret__"
# Name → why it is not renewed this way.
REFUSED = {
    "backup_cipher": "every backup is encrypted with it; renewed, none of them could be read any more",
    "vrrp": "while the two minicomputers differ in it, both take the site's address",
}
NAMES = tuple(
    sorted(name.removeprefix(PREFIX) for name in GENERATED if name.removeprefix(PREFIX) not in REFUSED)
)


class Rotation(BaseModel):
    """One that is not over: both values count at the site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    old: str = Field(repr=False)
    new: str = Field(repr=False)
    begun_at: datetime


def check(name: str) -> None:
    """ConfigurationError that says why ``name`` cannot be renewed."""
    if name in REFUSED:
        raise ConfigurationError(f"{name}: not to be renewed this way: {REFUSED[name]}")
    if name not in NAMES:
        raise ConfigurationError(f"{name}: no such secret", f"There is: {', '.join(NAMES)}.")


def begin(home: Home, site: str, name: str) -> tuple[Rotation, bool]:
    """The rotation, and whether it goes on with one that was stopped; the vault has the new value.

    Raises:
        ConfigurationError: the site has no secrets yet, or another of its secrets is being renewed.
    """
    check(name)
    folder = home.secrets(site)
    with locked(folder):
        there = _read(home, site)
        if there and there.name != name:
            raise ConfigurationError(
                f"{site}: {there.name} is being renewed since {there.begun_at.isoformat()}",
                f"Finish that first: rollout glass rotate {there.name} --site {site}",
            )
        values = _vault(home, site)
        key = f"{PREFIX}{name}"
        rotation = there or Rotation(name=name, old=values[key], new=GENERATED[key](), begun_at=clock.now())
        password = (folder / "vault-password").read_bytes().strip()
        if there is None:
            text = yaml.safe_dump(rotation.model_dump(mode="json"))
            write(folder / FILE, vault.encrypt(site, password, text.encode()))
        if values[key] != rotation.new:
            text = yaml.safe_dump({**values, key: rotation.new}, sort_keys=True)
            write(folder / "vault.yml", vault.encrypt(site, password, text.encode()))
    return rotation, there is not None


def finish(home: Home, site: str) -> None:
    """The old value is forgotten."""
    folder = home.secrets(site)
    with locked(folder), suppress(FileNotFoundError):
        (folder / FILE).unlink()
        sync_folder(folder)


def going_on(home: Home, site: str) -> Rotation | None:
    """The rotation of the site that is not over."""
    if not (home.root / "secrets" / site / FILE).is_file():
        return None
    return _read(home, site)


def _read(home: Home, site: str) -> Rotation | None:
    folder = home.secrets(site)
    file = folder / FILE
    if not file.is_file():
        return None
    password = (folder / "vault-password").read_bytes().strip()
    return Rotation.model_validate(
        yaml.safe_load(vault.decrypt(site, password, file.read_bytes(), str(file)))
    )


def _vault(home: Home, site: str) -> dict[str, str]:
    folder = home.secrets(site)
    file = folder / "vault.yml"
    if not file.is_file():
        raise ConfigurationError(f"{site}: it has no secrets yet", "They are made by its first apply.")
    password = (folder / "vault-password").read_bytes().strip()
    values: dict[str, str] = yaml.safe_load(vault.decrypt(site, password, file.read_bytes(), str(file)))
    return values
