"""What an access system tells the platform about itself: the plug's shape."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from psycopg import Connection
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, JsonValue, model_validator

from jincai.freezing import Freezer
from jincai.monitoring.vocabulary import Vocabulary
from jincai.socket.document import Document

if TYPE_CHECKING:
    from fastapi import APIRouter

    from jincai.platform import Platform
else:  # factories are enough to describe these: `jincai migrate` starts without the web framework
    APIRouter = Platform = object


class HandedOver(BaseModel):
    """A standard document (标准单据) on its way from one edition of a system to another.

    Attributes:
        kind: which document, such as ``payroll.roster``.
        id: its identity, the same in every edition; taken over twice it is there once.
        body: its fields, as the standard names them; money in fen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=64)
    id: str = Field(min_length=1, max_length=200)
    body: dict[str, JsonValue]


Privilege = Literal["SELECT", "INSERT", "UPDATE", "DELETE", "USAGE"]
CODE = r"^[a-z][a-z0-9_]{1,31}$"
DIST = r"^jincai(-[a-z0-9_]+)*$"


class MenuEntry(BaseModel):
    """One entry of the navigation: ``path`` is absolute, ``title`` Chinese, ``title_en`` English."""

    model_config = ConfigDict(frozen=True)

    title: str
    title_en: str
    path: str = Field(pattern=r"^/")


class Grant(BaseModel):
    """Privileges that a role needs on one table, such as ``SELECT`` on ``budget.indicator``.

    ``USAGE`` is for a sequence, in place of a table.
    """

    model_config = ConfigDict(frozen=True)

    table: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    privileges: tuple[Privilege, ...] = Field(min_length=1)


class Permission(BaseModel):
    """Something that a role may let people do, such as ``payment.review``; its name in both languages."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")
    title: str
    title_en: str


class Companion(BaseModel):
    """An outside system that `jincai serve --demo` runs beside the platform as a process: a bank, say.

    Attributes:
        name: whose key it gets; entries carry it as their maker.
        permissions: what that key may do.
        module: the Python module to run.
        arguments: for it; ``{url}`` stands for the platform's address.
        key_variable: the variable of its environment that holds the key.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    permissions: tuple[str, ...]
    module: str
    arguments: tuple[str, ...] = ()
    key_variable: str


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
        permissions: what roles may let people do in it.
        running: what runs beside the requests, such as a gatherer: entered at start with the platform.
        freezer: how its payments are frozen and thawed (`jincai freeze`).
        seed: called by `jincai migrate` with the owner's connection; loads what the system ships, returns
            table → rows changed.
        replay: what `jincai replay --seed-year` does: given the application's and the owner's URL, how many
            payments (None: all) and whether only to measure rules over a year that is there, posts the year
            and says whether every fen, and every alert, agrees.
        consumes: kinds of document it takes from other systems.
        publishes: kinds of document it gives to other systems.
        documents: how outside systems push the kinds it consumes and pull those it publishes.
        elements: standards it relies on, such as ``division``.
        demonstration: SQL file with rows for `jincai serve --demo`.
        companion: an outside system that the demonstration needs.
        schemas: of the database, that are this edition's alone: they go when another edition that replaced it
            is confirmed.
        hand_over: everything it holds as standard documents, read with the owner's connection, when another
            edition replaces it.
        take_over: stores documents that another edition handed over; what is there already is brought up to
            date. Returns how many changed something.
        monitored: what monitoring rules may say of its records, one vocabulary for each kind.
        rules: folder of the rule files it ships, ``R*.yml``.
        templates: folder of its pages' templates, which are then called ``<code>/<file>``.
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
    permissions: tuple[Permission, ...] = ()
    running: "Callable[[Platform], AbstractAsyncContextManager[None]] | None" = None
    freezer: InstanceOf[Freezer] | None = None
    seed: Callable[[Connection], dict[str, int]] | None = None
    consumes: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    documents: tuple[InstanceOf[Document], ...] = ()
    elements: tuple[str, ...] = ()
    replay: Callable[[str, str, int | None, bool], bool] | None = None
    demonstration: Path | None = None
    templates: Path | None = None
    monitored: tuple[InstanceOf[Vocabulary], ...] = ()
    rules: Path | None = None
    companion: Companion | None = None
    schemas: tuple[str, ...] = ()
    hand_over: Callable[[Connection], Iterator[HandedOver]] | None = None
    take_over: Callable[[Connection, Sequence[HandedOver]], int] | None = None

    @model_validator(mode="after")
    def _documents_are_announced(self) -> Self:
        for one in self.documents:
            if one.push and one.kind not in self.consumes:
                raise ValueError(f"documents of kind {one.kind!r} can be pushed, but it is not consumed")
            if one.pull and one.kind not in self.publishes:
                raise ValueError(f"documents of kind {one.kind!r} can be pulled, but it is not published")
        return self
