"""``contractors.yml`` in the region's home: who may work where, until when. Entries end, and are kept."""

import subprocess
from datetime import date
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from rollout import clock, documents
from rollout.access.model import REGION, Contractor, end_of
from rollout.apply import processes
from rollout.errors import ConfigurationError
from rollout.files import locked, write
from rollout.inventory import Site
from rollout.paths import Home
from rollout.release.sign import Keyring

MOST = 200
_LIST = TypeAdapter(list[Contractor])


class Identity(Home):
    """A contractor's keys, made here and kept here until they are exported."""

    def __init__(self, home: Home, name: str) -> None:
        super().__init__(home.root)
        self._name = name

    @property
    def keys(self) -> Path:
        """Their private keys: SSH (if it was made here), and the OpenPGP key that signs their records."""
        folder = self.root / "keys" / "contractors" / self._name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def load(home: Home) -> list[Contractor]:
    """All that ever were; ConfigurationError names what is wrong in the file."""
    file = home.root / "contractors.yml"
    if not file.is_file():
        return []
    return documents.read(file, _LIST, empty=[])


def find(home: Home, name: str) -> Contractor:
    """One that is not removed."""
    found = next((one for one in load(home) if one.name == name and one.removed_at is None), None)
    if found is None:
        known = ", ".join(one.name for one in load(home) if one.removed_at is None) or "nobody"
        raise ConfigurationError(f"no contractor {name}", f"There is: {known}.")
    return found


def add(home: Home, name: str, sites: list[Site], until: date, public_key: str = "") -> Contractor:
    """A new identity, or other sites and another day for one that is there; its keys stay.

    Args:
        home: the region's.
        name: of the company or person, such as ``gl-tech``.
        sites: cities, never the region.
        until: the last day.
        public_key: theirs; "" for a pair made here, or the one they have.
    """
    if any(site.kind == REGION for site in sites):
        raise ConfigurationError("a contractor works at cities, not at the region")
    if end_of(until) <= clock.now():
        raise ConfigurationError(f"--until {until}: that day is over")
    home.root.mkdir(parents=True, exist_ok=True)
    with locked(home.root):
        others = [one for one in load(home) if one.name != name]
        if len(others) >= MOST or name == REGION:
            raise ConfigurationError(f"{name}: not as a contractor's name, or more than {MOST} of them")
        identity = Identity(home, name)
        Keyring(identity, "report").ensure()
        try:
            made = Contractor(
                name=name,
                ssh_key=public_key.strip() or _ssh_key(identity),
                sites=[site.name for site in sites],
                until=until,
                added_at=clock.now(),
                added_by=processes.person(),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}") from error
        _save(home, [*others, made])
    return made


def remove(home: Home, name: str) -> Contractor:
    """Ends it now; at the sites it ends with the next apply, and at the latest when its day is over."""
    with locked(home.root):
        gone = find(home, name).model_copy(update={"removed_at": clock.now()})
        _save(home, [gone if one.name == name else one for one in load(home)])
    return gone


def _save(home: Home, every: list[Contractor]) -> None:
    rows = [one.model_dump(mode="json") for one in sorted(every, key=lambda one: one.name)]
    text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)
    write(home.root / "contractors.yml", text.encode(), 0o644)


def _ssh_key(identity: Identity) -> str:
    file = identity.ssh_key
    if not file.is_file():
        comment = f"rollout contractor {file.parent.name}"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)]
        subprocess.run(command, check=True, capture_output=True)
    return file.with_name(f"{file.name}.pub").read_text().strip()
