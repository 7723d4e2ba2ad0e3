"""Whose a standing site is: its bridge and its addresses exist once on this machine, homes may be many."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Self

from rollout.lab.record import RUN, write_whole


@dataclass(frozen=True)
class Claim:
    """The home that a site stands for, and its network."""

    home: Path
    network: IPv4Network

    @classmethod
    def read(cls, site: str) -> Self | None:
        """The claim on ``site``; None when it does not stand."""
        try:
            data = json.loads((RUN / site / "claim.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(Path(data["home"]), IPv4Network(data["network"]))

    def write(self, site: str) -> None:
        """Claims ``site``."""
        (RUN / site).mkdir(parents=True, exist_ok=True)
        data = {"home": str(self.home), "network": str(self.network)}
        write_whole(RUN / site / "claim.json", json.dumps(data) + "\n")


def claimed_by(home: Path) -> list[str]:
    """The sites that stand for ``home``."""
    sites = sorted(path.parent.name for path in RUN.glob("*/claim.json"))
    claims = {site: Claim.read(site) for site in sites}
    return [site for site, claim in claims.items() if claim and claim.home == home]
