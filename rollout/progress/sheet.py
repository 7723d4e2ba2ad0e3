"""The assessment sheet (推进考核表): 13 items, 51 sub-items, as data."""

from functools import cached_property, lru_cache
from importlib import resources
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ITEMS, PARTS, POINTS = 13, 51, 100

ItemId = Annotated[str, StringConstraints(pattern=r"^\d{1,2}$")]
PartId = Annotated[str, StringConstraints(pattern=r"^\d{1,2}\.\d$")]
Kind = Literal["acceptance", "contact", "link", "step", "running", "uniform", "drill", "inspected"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Evidence(_Part):
    """What a machine knows: which kind, and of what (a step, a component, a drill)."""

    evidence: Kind
    name: str = ""


class SubItem(_Part):
    """One sub-item; ``weight`` in points."""

    id: PartId
    title: str
    weight: Annotated[int, Field(ge=1, le=20)]
    proof: Evidence | Literal["statement"]


class Item(_Part):
    """One item: how many working days it takes, after which others; who leads, who cooperates."""

    id: ItemId
    title: str
    days: Annotated[int, Field(ge=1, le=250)]
    after: list[ItemId]
    lead: str
    cooperating: Annotated[list[str], Field(alias="with")]
    parts: Annotated[list[SubItem], Field(min_length=1)]


class Sheet(_Part):
    """The whole sheet. Every item comes after those that it names."""

    items: list[Item]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        parts = [part for item in self.items for part in item.parts]
        points = sum(part.weight for part in parts)
        if (len(self.items), len(parts), points) != (ITEMS, PARTS, POINTS):
            raise ValueError(f"{len(self.items)} items, {len(parts)} sub-items, {points} points")
        known: set[str] = set()
        for item in self.items:
            strangers = [other for other in item.after if other not in known]
            wrong = [part.id for part in item.parts if part.id.split(".")[0] != item.id]
            if strangers or wrong or item.id in known:
                raise ValueError(f"item {item.id}: {strangers or wrong or 'twice'}")
            known.add(item.id)
        return self

    @cached_property
    def parts(self) -> dict[str, SubItem]:
        """Every sub-item by id, in order."""
        return {part.id: part for item in self.items for part in item.parts}

    def item_of(self, part: str) -> Item:
        """The item that a sub-item belongs to."""
        return next(item for item in self.items if item.id == part.split(".", maxsplit=1)[0])


@lru_cache(maxsize=1)
def load() -> Sheet:
    """The sheet that ships with the tool."""
    text = resources.files("rollout.progress").joinpath("sheet.yml").read_text(encoding="utf-8")
    return Sheet.model_validate(yaml.safe_load(text))
