"""The site's record: what the last apply left on each host. Signed, kept at home and on the site's ``s``.

The audit holds the managed files and services of a host against it. A record is written only after an
apply ended in a uniform audit.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rollout.release.manifest import Sha256

AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]+$", max_length=500)]


class ManagedFile(BaseModel):
    """One path that a role wrote. A link has ``target`` and a folder neither target nor checksum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["file", "link", "directory"] = "file"
    sha256: Sha256 | None = None
    target: str | None = None
    mode: str  # four octal digits
    owner: str
    group: str


class HostRecord(BaseModel):
    """What the roles manage on one host."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[AbsolutePath, ManagedFile]
    # Unit names that must be active, e.g. "etcd.service"; true when they also must be enabled.
    services: dict[str, bool]


class SiteRecord(BaseModel):
    """``records/<site>.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    site: str
    release: str
    serial: Annotated[int, Field(ge=1)]
    manifest_sha256: Sha256
    # Digest over what went into the apply: manifest, roles and playbooks, inventory entry, secrets.
    input_sha256: Sha256
    rollout_version: str
    applied_at: datetime
    run: str
    hosts: dict[str, HostRecord]
