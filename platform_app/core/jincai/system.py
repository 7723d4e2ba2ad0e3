"""What an access system tells the platform about itself: the plug's shape."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from fastapi import APIRouter
else:  # a factory is enough to describe a router: `jincai migrate` starts without the web framework
    APIRouter = object

Privilege = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
CODE = r"^[a-z][a-z0-9_]{1,31}$"
DIST = r"^jincai(-[a-z0-9_]+)*$"


class MenuEntry(BaseModel):
    """One entry of the navigation: ``path`` is absolute, ``title`` Chinese, ``title_en`` English."""

    model_config = ConfigDict(frozen=True)

    title: str
    title_en: str
    path: str = Field(pattern=r"^/")


class Grant(BaseModel):
    """Privileges that the application role needs on one table, such as ``SELECT`` on ``budget.indicator``."""

    model_config = ConfigDict(frozen=True)

    table: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    privileges: tuple[Privilege, ...] = Field(min_length=1)


class System(BaseModel):
    """An access system, as its entry point in the group ``jincai.systems`` yields it.

    Attributes:
        code: the system's identity; two installed systems with one code refuse to start.
        dist: the distribution it comes in; an edition is another dist with the same code.
        name: Chinese name.
        name_en: English name.
        edition: which edition this is.
        version: the dist's version.
        platform: platform versions it works with, such as ``>=1.0,<2``.
        migrations: folder of its ``NNNN_expand|contract_name.sql`` files.
        grants: what the application role needs on its tables.
        router: makes its routes; called once, at start. The platform mounts them under ``/``, so each
            path begins with ``/api/v1/<code>`` (or ``/<code>`` for pages).
        menu: its entries of the navigation.
        consumes: kinds of document it takes from other systems.
        publishes: kinds of document it gives to other systems.
        elements: standards it relies on, such as ``division``.
        demonstration: SQL file with rows for `jincai serve --demo`.
    """

    model_config = ConfigDict(frozen=True)

    code: str = Field(pattern=CODE)
    dist: str = Field(pattern=DIST)
    name: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    edition: str = "standard"
    version: str
    platform: str
    migrations: Path
    grants: tuple[Grant, ...] = ()
    router: Callable[[], "APIRouter"]
    menu: tuple[MenuEntry, ...] = ()
    consumes: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    demonstration: Path | None = None
