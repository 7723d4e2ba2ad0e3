"""What an inventory says: sites, hosts, addresses. Identity only; versions belong to the release."""

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rollout.hardware import HostKind

Letter = Literal["a", "b", "s"]
Division = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{5}$")]
Permission = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$")]
# As OpenSSH writes it, without options: those would be the account's own rules.
PublicKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^(sk-)?(ssh|ecdsa)-[a-z0-9-]+(@openssh\.com)? [A-Za-z0-9+/]+={0,2}( [^\r\n]*)?$"
    ),
]
SiteName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,20}$")]

KIND_OF_LETTER: dict[Letter, HostKind] = {"a": "minicomputer", "b": "minicomputer", "s": "storage"}


class Host(BaseModel):
    """One device of a site; ``name`` is ``<site>-<letter>``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    letter: Letter
    address: IPv4Address
    model: str
    user: str = "rollout"
    unit: str = ""

    @property
    def kind(self) -> HostKind:
        """Minicomputer (小型机) for a and b, storage (存储备份设备) for s."""
        return KIND_OF_LETTER[self.letter]

    @property
    def site(self) -> str:
        """The site's name, which is the host's name without its letter."""
        return self.name.rsplit("-", 1)[0]


class DropSystem(BaseModel):
    """An outside system that drops files at the site's storage device (docs/file-drop.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Its account is drop-<name>, its folder is called like it.
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
    keys: Annotated[list[PublicKey], Field(min_length=1, max_length=10)]
    permissions: Annotated[list[Permission], Field(min_length=1)]
    divisions: Annotated[list[Division], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=730)]


class Site(BaseModel):
    """The region or a city: the unit of rollout. Always three hosts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: SiteName
    kind: Literal["region", "city"]
    title: Annotated[str, Field(min_length=1, max_length=60)]
    division: Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
    network: IPv4Network
    vip: IPv4Address
    # Addresses outside the network from which a control node reaches the site.
    control: list[IPv4Address] = []
    # Auditors' keys: their account on the hosts looks, and does nothing else (docs/audit.md).
    auditors: Annotated[list[PublicKey], Field(max_length=20)] = []
    # Outside systems with a file socket here, and the networks that they come from.
    drop_systems: list[DropSystem] = []
    drop_networks: list[IPv4Network] = []
    hosts: dict[Letter, Host]

    @model_validator(mode="after")
    def _addresses_fit(self) -> Self:
        for what, address in [("site__vip", self.vip), *((h.name, h.address) for h in self.hosts.values())]:
            if address not in self.network:
                raise ValueError(f"{what}: {address} is outside site__network {self.network}")
        return self

    @model_validator(mode="after")
    def _drop_fits(self) -> Self:
        names = [system.name for system in self.drop_systems]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"drop__systems: {', '.join(twice)} appears more than once")
        if self.drop_systems and not self.drop_networks:
            raise ValueError(
                "drop__networks: the outside systems of drop__systems need a network to come from"
            )
        return self

    @property
    def storage(self) -> Host:
        """The storage-and-backup device, which keeps the depot mirror, the lease and the site's record."""
        return self.hosts["s"]

    @property
    def minicomputers(self) -> tuple[Host, Host]:
        """Both minicomputers, a first."""
        return self.hosts["a"], self.hosts["b"]


class Inventory(BaseModel):
    """All sites, region first, then cities in the order of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: str
    sites: dict[str, Site]

    @property
    def hosts(self) -> list[Host]:
        """Every host of every site."""
        return [host for site in self.sites.values() for host in site.hosts.values()]
