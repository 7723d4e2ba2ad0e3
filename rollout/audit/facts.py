"""The facts of one host as its probes report them, judged: a host may be broken or hostile."""

import base64
import zlib
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from rollout.audit.dpkg import parse_status

MARKER = "rollout-facts:"
_MAX_BYTES = 64 * 1024 * 1024  # ten times what the largest host reports


class Model(BaseModel):
    """Strict about shapes, open to keys it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ProbeError(Model):
    """A probe that could not say anything, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str


class Package(Model):
    """One package in dpkg's status file."""

    name: str
    version: str
    architecture: str
    want: str  # install, hold, deinstall, purge
    flag: str  # ok or reinstreq
    state: str  # installed, config-files, half-configured, …
    essential: bool  # essential or required


# Hosts that are alike send the same text.
@lru_cache(maxsize=64)
def _packages(status: str) -> list[Package]:
    return [Package.model_validate(package) for package in parse_status(status)]


def _parsed(packages: object) -> object:
    """Hosts send dpkg's own lines, which are parsed here."""
    return _packages(packages) if isinstance(packages, str) else packages


class Path(Model):
    """What is at a path."""

    type: str  # file, link, directory, other
    mode: str
    owner: str
    group: str
    sha256: str | None = None
    target: str | None = None
    error: str | None = None


class Environment(Model):
    """The virtual environment behind the ``current`` link."""

    root: str
    site_packages: str
    files: dict[str, str]  # path below root → sha256, ``-> target`` of a link, or ``other``
    dists: list[tuple[str, str, str]]  # name, version, folder; name and version are empty if unreadable


class Unit(Model):
    """One systemd unit; absent ones have ``load`` = ``not-found``."""

    name: str = Field(alias="Id")
    load: str = Field(alias="LoadState")
    active: str = Field(alias="ActiveState")
    sub: str = Field(alias="SubState")
    enabled: str = Field(alias="UnitFileState", default="")
    main_pid: int = Field(alias="MainPID", default=0)
    restarts: int = Field(alias="NRestarts", default=0)
    fragment: str = Field(alias="FragmentPath", default="")
    drop_ins: str = Field(alias="DropInPaths", default="")
    stale: str = Field(alias="NeedDaemonReload", default="no")


class Processes(Model):
    """The processes of a unit, and deleted files whose code they run."""

    pids: list[int]
    deleted: list[str]


class Machine(Model):
    """The machine itself."""

    hostname: str
    kernel: str
    kernel_version: str
    architecture: str
    boot_id: str
    virtualisation: str
    clock: float
    accepted: Any = None  # /var/lib/rollout/accepted.json
    record: tuple[str | None, str | None] = (None, None)  # the site's record and its signature
    data: list[str]  # the data folders that hold something


class HostFacts(Model):
    """All of one host. ``answers``: by program or unit, whatever JSON or text it answered with."""

    packages: Annotated[list[Package] | ProbeError, BeforeValidator(_parsed)]
    files: ProbeError | dict[str, Path | None]
    venv: Environment | ProbeError | None
    units: ProbeError | dict[str, Unit]
    processes: ProbeError | dict[str, Processes]
    machine: Machine | ProbeError
    answers: dict[str, Any]
    seconds: float
    received: float = 0.0  # this control node's clock when the answer came

    @property
    def active(self) -> set[str]:
        """The units that were found active."""
        if isinstance(self.units, ProbeError):
            return set()
        return {name for name, unit in self.units.items() if unit.active == "active"}


class Unreachable(Model):
    """Nothing is known about the host; ``reason`` says why in words a person can act on."""

    reason: str


class Wanted(BaseModel):
    """What the probes of one host are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: list[str] = []
    units: list[str] = []
    venv: str = "/opt/jincai/current/venv"
    app_port: int = 8100  # instance n of jincai@ listens on app_port + n
    patroni: str = "https://127.0.0.1:8008"
    patroni_tls: dict[str, str] = {"ca": "/etc/rollout/ca.pem"}  # ca, cert, key: paths on the host
    etcd: str = "https://127.0.0.1:2379"
    etcd_tls: dict[str, str] = {
        "ca": "/etc/rollout/ca.pem",
        "cert": "/etc/etcd/tls/host.pem",
        "key": "/etc/etcd/tls/host.key",
    }
    postgresql_port: int = 5432
    haproxy_socket: str = "/run/haproxy/admin.sock"
    record: str = ""  # the site's record on its storage device, when the control node has none
    data_folders: list[str] = ["/var/lib/postgresql/15/main", "/var/lib/etcd"]


_FACTS: TypeAdapter[HostFacts] = TypeAdapter(HostFacts)


def decode(line: str) -> HostFacts:
    """The facts from the line that the probes print. Raises ValueError that says what is wrong with it."""
    if not line.startswith(MARKER):
        raise ValueError(f"unexpected answer: {line.strip()[:200] or 'nothing'}")
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(base64.b64decode(line[len(MARKER) :], validate=True), _MAX_BYTES)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"damaged answer: {error}") from error
    if inflate.unconsumed_tail or not inflate.eof:
        raise ValueError(f"damaged answer: cut short, or larger than {_MAX_BYTES} bytes")
    return _FACTS.validate_json(text)
