"""Whether a site is frozen: asked through a minicomputer, as break-glass goes, or as users do."""

import json
import ssl
import urllib.request
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError
from rollout.glass.fan import Work, on_either
from rollout.inventory import Host, Site
from rollout.paths import Home

PORT = 8101
SECONDS = 5.0
_BYTES = 1 << 16


class Freeze(BaseModel):
    """A freeze in force."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reason: str
    by: str
    since: str


class Health(BaseModel):
    """Of `/healthz`, what is read here; a release from before freezing says nothing of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    freeze: Freeze | None = None

    def said(self) -> str:
        """For people."""
        if self.freeze is None:
            return "payments go on"
        return f"frozen since {self.freeze.since} by {self.freeze.by}: {self.freeze.reason}"


def through_a_minicomputer(connect: Callable[[Host], Remote]) -> Work:
    """What is asked at each site by a dry run: it changes nothing, and proves that the way is open."""

    def at(site: Site) -> tuple[bool, str]:
        host, health = on_either(site, lambda host: _asked(connect(host), host))
        return True, f"reached through {host.name}; now: {health.said()}"

    return at


def as_users_do(home: Home, site: Site, seconds: float = 2.0) -> Health | None:
    """At the site's own address, certificate verified; None if nobody answers there or no CA is known."""
    authority = home.root / "secrets" / site.name / "ca.pem"
    if not authority.is_file():
        return None
    try:
        context = ssl.create_default_context(cafile=str(authority))
        with urllib.request.urlopen(f"https://{site.vip}/healthz", timeout=seconds, context=context) as page:
            return Health.model_validate(json.loads(page.read(_BYTES)))
    except (OSError, ValueError):  # a ValidationError is a ValueError
        return None


def _asked(remote: Remote, host: Host) -> Health:
    question = {"port": PORT, "seconds": SECONDS}
    found = ask(remote, "health", question, timeout=SECONDS + 10, package="rollout.glass.hostside")
    if found["health"] is None:
        raise ApplyError(f"{host.name}: the platform does not answer: {found['said']}")
    try:
        return Health.model_validate(found["health"])
    except ValidationError as error:
        raise ApplyError(f"{host.name}: not /healthz: {error.errors()[0]['msg']}") from None
