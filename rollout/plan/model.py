"""What an apply would change, and why. A plan that was written to a file is exactly what apply then runs."""

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rollout.release.manifest import Sha256

State = Literal[
    "new",  # nothing of ours is there, and no run ever touched it
    "nothing",  # uniform, and nothing that goes into an apply has changed
    "converge",  # something differs, or what goes into an apply has changed
    "blocked",  # a host does not answer, or could not be seen whole
]
Move = Literal["nothing", "install", "upgrade", "replace", "downgrade", "remove"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SystemStep(_Part):
    """What happens to one of our systems on one host."""

    host: str
    system: str  # the code: jincai, budget, …
    move: Move
    found: str  # dist and version, empty when there is none
    wanted: str  # likewise; empty when it is to go
    why: str


class HostPlan(_Part):
    """What happens on one host. Everything is named; nothing else is touched."""

    host: str
    install: list[str]  # exact packages, ``name=version``, in either direction
    remove: list[str]  # packages that the release does not know
    heal: bool  # dpkg has to finish something first
    rebuild: bool  # the platform's environment
    rewrite: list[str]  # managed files
    start: list[str]  # units that must run and do not
    restart: list[str]  # units that run something else than the release
    by_hand: list[str]  # what apply will not do: ``component: what a person must do``

    @property
    def changes(self) -> bool:
        """Whether apply has anything to do here."""
        lists = self.install, self.remove, self.rewrite, self.start, self.restart
        return self.heal or self.rebuild or any(lists)


class SitePlan(_Part):
    """What happens at one site."""

    site: str
    state: State
    reasons: list[str]
    systems: list[SystemStep]
    hosts: list[HostPlan]
    points_of_no_return: list[str]
    input_sha256: Sha256  # what goes into the apply: release, roles, inventory entry, secrets
    findings_sha256: Sha256  # what reality looked like


class Plan(_Part):
    """``plan --out FILE``. Two plans with one digest do the same to the same reality."""

    format: Literal[1] = 1
    release: str
    serial: int
    manifest_sha256: Sha256
    inventory_sha256: Sha256
    rollback: bool
    rollout_version: str
    made_at: datetime
    sites: list[SitePlan]

    @property
    def digest(self) -> str:
        """Over everything but the time at which it was made."""
        return hashlib.sha256(self.model_dump_json(exclude={"made_at"}).encode()).hexdigest()

    @property
    def blocked(self) -> list[str]:
        """The sites that cannot be planned."""
        return [site.site for site in self.sites if site.state == "blocked"]

    @property
    def changing(self) -> list[str]:
        """The sites that an apply would touch."""
        return [site.site for site in self.sites if site.state in {"new", "converge"}]
