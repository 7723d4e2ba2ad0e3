"""What was planned and promised: ``progress.yml`` beside the inventory's ``hosts.yml``."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from rollout import documents
from rollout.errors import ConfigurationError
from rollout.inventory import Inventory
from rollout.inventory.model import SiteName
from rollout.waves.days import Calendar

FILE = "progress.yml"
Fen = Annotated[int, Field(ge=0, le=10**15)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Amounts(_Part):
    """What a city gets, in fen. Defaults are those of the real rollout: 160, 220 and 30 wan yuan."""

    implementation: Fen = 160_000_000
    running: Fen = 220_000_000
    reward: Fen = 30_000_000


class Plan(_Part):
    """When each site is to go live, by which calendar, and what it gets.

    Attributes:
        go_live: site → day.
        calendar: which days are working days.
        amounts: per city.
        reward_score: points that a city needs for the reward, besides being in time.
    """

    go_live: Annotated[dict[SiteName, date], Field(min_length=1, max_length=1000)]
    calendar: Calendar = Calendar()
    amounts: Amounts = Amounts()
    reward_score: Annotated[int, Field(ge=0, le=100)] = 100


def load(inventory: Inventory) -> Plan:
    """The plan of an inventory; ConfigurationError names the file and every key that is wrong."""
    file = Path(inventory.path) / FILE
    if not file.is_file():
        raise ConfigurationError(
            f"{file}: there is no plan", "Write go_live: {nanning: 2010-03-31, …}; see docs/progress.md."
        )
    plan = documents.read(file, TypeAdapter(Plan), "See docs/progress.md.", empty={})
    strangers = sorted(set(plan.go_live) - set(inventory.sites))
    if strangers:
        raise ConfigurationError(f"{file}: go_live: there is no site {', '.join(strangers)}")
    return plan
