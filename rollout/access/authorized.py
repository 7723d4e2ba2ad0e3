"""The keys that open a site's hosts: the region's, then contractors' by name.

The region's control node and a contractor's come to the same lines: whichever applies changes none of them.
"""

from rollout import clock
from rollout.access import contractors, scope
from rollout.access.model import REGION, SiteKey, end_of
from rollout.errors import ConfigurationError
from rollout.paths import Home


def keys(home: Home, site: str) -> list[SiteKey]:
    """All of a site that are not over."""
    limited = scope.of(home.root)
    if limited:
        found = limited.keys.get(site, [])
    else:
        public = home.root / "keys" / f"{home.ssh_key.name}.pub"
        own = [SiteKey(who=REGION, key=public.read_text().strip())] if public.is_file() else []
        found = own + [
            SiteKey(who=one.name, key=one.ssh_key, until=one.until)
            for one in sorted(contractors.load(home), key=lambda one: one.name)
            if site in one.sites and one.removed_at is None
        ]
    now = clock.now()
    return [one for one in found if one.until is None or now < end_of(one.until)]


def lines(home: Home, site: str) -> list[str]:
    """As lines of authorized_keys."""
    return [one.line() for one in keys(home, site)]


def refuse_lockout(home: Home, site: str) -> None:
    """An apply that would take the region's own way in is refused.

    Raises:
        ConfigurationError: no key without an end is among them.
    """
    found = keys(home, site)
    if found and not any(one.until is None for one in found):
        raise ConfigurationError(
            f"{site}: the region's own key is not among its keys", "Import the scope anew."
        )
