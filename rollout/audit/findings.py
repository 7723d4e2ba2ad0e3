"""What an audit says: findings, per host and in all. The JSON form is a fixed interface (DESIGN §7)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "behind",  # an older version than the release's
    "ahead",  # a newer one
    "missing",  # not there
    "extra",  # there, and not in the release
    "other_edition",  # the same system, another dist
    "modified",  # the right version, other content
    "not_running",  # a service or process that must run and does not
    "unreachable",  # the host does not answer: nothing is known about it
    "waived",  # would be a finding, but a waiver in force covers it
]


class Finding(BaseModel):
    """One difference between what is there and what should be.

    ``component`` names it as its user would: a Debian package (``haproxy``), a dist (``jincai-budget``),
    a path (``/etc/haproxy/haproxy.cfg``), a unit (``etcd.service``), a running process
    (``jincai-budget in jincai@1.service``), the host itself when unreachable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    component: str
    kind: Kind
    expected: str
    found: str
    action: str  # what apply will do about it, or what a person must do


class HostReport(BaseModel):
    """One host: what was checked, what runs, what is wrong."""

    model_config = ConfigDict(extra="forbid")

    host: str
    site: str
    reachable: bool
    checked: dict[str, int]  # {"package": 251, "python_file": 1840, "managed_file": 44, "service": 11, ...}
    running: dict[
        str, str
    ]  # component -> version that answers, e.g. {"postgresql": "15.20", "jincai": "1.0.0"}
    findings: list[Finding]


class AuditReport(BaseModel):
    """``audit --json``. An unreachable host is never uniform; a waived finding does not break uniformity."""

    model_config = ConfigDict(extra="forbid")

    release: str
    serial: int
    manifest_sha256: str
    inventory_sha256: str
    rollout_version: str
    taken_at: datetime
    uniform: bool
    summary: dict[str, int]  # findings by kind
    hosts: list[HostReport]
    notes: list[str] = []  # what a reader should know besides, e.g. that a waiver has expired
