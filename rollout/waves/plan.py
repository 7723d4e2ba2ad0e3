"""Which sites go together, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from rollout.errors import ConfigurationError
from rollout.inventory import Site
from rollout.waves.policy import Policy


@dataclass(frozen=True)
class Wave:
    """Sites that get the release side by side, and how long (seconds) they are watched afterwards."""

    number: int
    name: str
    sites: tuple[Site, ...]
    soak: int

    @property
    def names(self) -> list[str]:
        """The sites' names."""
        return [site.name for site in self.sites]


def waves(policy: Policy, sites: Sequence[Site], inventory: Sequence[str]) -> list[Wave]:
    """The region, the canary city, then the others; only those of ``sites``.

    Args:
        policy: of the inventory.
        sites: to bring to the release, in the order of the inventory.
        inventory: all its sites' names: a canary that is none of them is a mistake in the policy.
    """
    if policy.canary and policy.canary not in inventory:
        raise ConfigurationError(
            f"waves.yml: canary: there is no site {policy.canary}", f"There are: {', '.join(inventory)}."
        )
    groups = [("pilot", [site for site in sites if site.kind == "region"], policy.soak.pilot)]
    cities = [site for site in sites if site.kind != "region"]
    groups.append(("canary", [site for site in cities if site.name == policy.canary], policy.soak.canary))
    others = [site for site in cities if site.name != policy.canary]
    size = policy.cities or max(1, len(others))
    for number, start in enumerate(range(0, len(others), size), 1):
        groups.append((f"wave {number}", others[start : start + size], policy.soak.wave))
    filled = [group for group in groups if group[1]]
    return [Wave(number, name, tuple(group), soak) for number, (name, group, soak) in enumerate(filled, 1)]
