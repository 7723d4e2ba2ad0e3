"""Waivers: findings that somebody has answered for until a day, as data beside the inventory.

Each file ``waivers/*.yml`` is a list of entries; every complaint about one names its file and key.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from rollout import clock
from rollout.audit.findings import Finding, Kind
from rollout.errors import ConfigurationError
from rollout.inventory import Inventory

_MAX_BYTES = 1024 * 1024
# An unreachable host is never uniform, and nothing is waived twice.
_NEVER: set[Kind] = {"unreachable", "waived"}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Waiver(BaseModel):
    """One entry: a finding of ``kind`` about ``component``, on one host or on all of one site."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    component: Text
    kind: Kind
    host: str | None = None
    site: str | None = None
    justification: Text
    approver: Text
    expires: date  # the last day on which it is in force

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.host is None) == (self.site is None):
            raise ValueError("name either a host or a site")
        if self.kind in _NEVER:
            raise ValueError(f"kind: {self.kind} cannot be waived")
        return self

    def covers(self, host: str, site: str, finding: Finding) -> bool:
        """Whether the finding, on that host of that site, is the one that is waived."""
        here = host == self.host if self.host else site == self.site
        return here and finding.component == self.component and finding.kind == self.kind

    def applied(self, finding: Finding) -> Finding:
        """The finding as waived; what it would be stays in its text."""
        return Finding(
            component=finding.component,
            kind="waived",
            expected=finding.expected,
            found=f"{finding.kind}: {finding.found}",
            action=f"waived until {self.expires} by {self.approver}: {self.justification}",
        )

    @property
    def where(self) -> str:
        """Its host or site."""
        return self.host or self.site or ""


class Waivers:
    """Those in force, and a note about each that has expired."""

    def __init__(self, waivers: list[tuple[str, Waiver]], today: date) -> None:
        self.in_force = [waiver for _, waiver in waivers if waiver.expires >= today]
        self.notes = [
            f"{file}: the waiver for {waiver.component} ({waiver.kind}) on {waiver.where} expired on "
            f"{waiver.expires} and is ignored"
            for file, waiver in waivers
            if waiver.expires < today
        ]

    def apply(self, host: str, site: str, findings: list[Finding]) -> list[Finding]:
        """The findings, those that a waiver in force covers as waived."""
        return [self._one(host, site, finding) for finding in findings]

    def _one(self, host: str, site: str, finding: Finding) -> Finding:
        covering = (waiver for waiver in self.in_force if waiver.covers(host, site, finding))
        waiver = next(covering, None)
        return waiver.applied(finding) if waiver else finding


def today() -> date:
    """The day in China, where the sites are."""
    return clock.now().date()


def load(inventory: Inventory, day: date) -> Waivers:
    """The waivers beside an inventory; ConfigurationError lists everything that is wrong with them."""
    problems: list[str] = []
    waivers: list[tuple[str, Waiver]] = []
    for file in sorted(Path(inventory.path).glob("waivers/*.yml")):
        for index, entry in enumerate(_entries(file, problems)):
            waiver = _waiver(entry, f"{file}: [{index}]", inventory, problems)
            if waiver:
                waivers.append((str(file), waiver))
    if problems:
        raise ConfigurationError("the waivers are refused:\n  " + "\n  ".join(problems))
    return Waivers(waivers, day)


def _entries(file: Path, problems: list[str]) -> list[object]:
    if file.stat().st_size > _MAX_BYTES:
        problems.append(f"{file}: larger than {_MAX_BYTES} bytes")
        return []
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not valid YAML: {error}")
        return []
    if not isinstance(document, list):
        problems.append(f"{file}: expected a list of waivers")
        return []
    return document


def _waiver(entry: object, place: str, inventory: Inventory, problems: list[str]) -> Waiver | None:
    try:
        waiver = Waiver.model_validate(entry)
    except ValidationError as error:
        for item in error.errors():
            key = ".".join(map(str, item["loc"]))
            problems.append(f"{place}{'.' if key else ''}{key}: {item['msg'].removeprefix('Value error, ')}")
        return None
    if waiver.site is not None and waiver.site not in inventory.sites:
        problems.append(f"{place}.site: the inventory has no site {waiver.site}")
    if waiver.host is not None and waiver.host not in {host.name for host in inventory.hosts}:
        problems.append(f"{place}.host: the inventory has no host {waiver.host}")
    return waiver
