"""What `/version` says: what this process loaded, not what the disk says now."""

import datetime as dt
import os
import socket
from collections.abc import Mapping
from importlib import metadata, util
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

import jincai
from jincai import fingerprint
from jincai.settings import Settings
from jincai.system import System

# China keeps one time without summer time, so no time zone database is needed on a host.
SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")


class Component(BaseModel):
    """One loaded dist: the platform or an access system. ``code_sha256`` as in `jincai.fingerprint`."""

    model_config = ConfigDict(frozen=True)

    code: str
    dist: str
    name: str
    edition: str
    version: str
    code_sha256: str


class Release(BaseModel):
    """The release that the process was deployed from, as its environment says."""

    model_config = ConfigDict(frozen=True)

    name: str | None
    serial: int | None
    manifest_sha256: str | None


class Process(BaseModel):
    """The process that answers."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started_at: dt.datetime
    host: str
    instance: str | None


class Loaded(BaseModel):
    """What was computed once at the start of the process."""

    model_config = ConfigDict(frozen=True)

    platform: Component
    systems: tuple[Component, ...]
    environment_sha256: str | None
    release: Release
    process: Process


class Version(Loaded):
    """The document at `/version`.

    Attributes:
        schema_: ``schema``, code → newest applied migration, null if unknown.
        contracted: code → newest applied migration that took something away; null if there is none. Code that
            does not know it does not work on this schema.
        replaced: code → the edition that this one replaced, whose tables are still there.
        retired: editions whose tables are gone.
    """

    schema_: Mapping[str, str | None] = Field(serialization_alias="schema")
    contracted: Mapping[str, str | None]
    replaced: Mapping[str, str]
    retired: tuple[str, ...]


def at_start(systems: tuple[System, ...], settings: Settings) -> Loaded:
    """Take stock of the process; to be called once, after everything that serves is imported."""
    return Loaded(
        platform=Component(
            code="jincai",
            dist="jincai",
            name="金财工程应用支撑平台",
            edition="standard",
            version=jincai.__version__,
            code_sha256=code_sha256("jincai"),
        ),
        systems=tuple(_component(system) for system in systems),
        environment_sha256=environment_sha256(),
        release=Release(
            name=settings.release,
            serial=settings.release_serial,
            manifest_sha256=settings.release_manifest_sha256,
        ),
        process=Process(
            pid=os.getpid(),
            started_at=dt.datetime.now(SHANGHAI),
            host=socket.gethostname(),
            instance=settings.instance,
        ),
    )


def code_sha256(dist: str) -> str:
    """The digest of an installed dist, editable or not."""
    files = fingerprint.of_distribution(metadata.distribution(dist))
    return fingerprint.digest(files or fingerprint.of_folder(_package_folder(dist)))


def environment_sha256() -> str | None:
    """The digest of everything in the site-packages that jincai is installed in; None if editable."""
    own = metadata.distribution("jincai")
    if not fingerprint.of_distribution(own):
        return None
    return fingerprint.digest(fingerprint.of_environment(Path(str(own.locate_file("")))))


def _component(system: System) -> Component:
    return Component(
        code=system.code,
        dist=system.dist,
        name=system.name,
        edition=system.edition,
        version=system.version,
        code_sha256=code_sha256(system.dist),
    )


def _package_folder(dist: str) -> Path:
    spec = util.find_spec(dist.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"dist {dist} has no package {dist.replace('-', '_')}")
    return Path(spec.submodule_search_locations[0])
