"""Which kinds of document the installed systems take and give."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from jincai.socket.document import Document
from jincai.system import System


class PushKind(BaseModel):
    """How a kind is pushed: ``schema_`` of one document, ``result`` of what each is answered; JSON Schema."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    permission: str
    schema_: dict[str, Any] = Field(alias="schema")
    result: dict[str, Any]


class PullKind(BaseModel):
    """How a kind is pulled: ``schema_`` of one document; JSON Schema."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    permission: str
    schema_: dict[str, Any] = Field(alias="schema")


class Kind(BaseModel):
    """One kind of document: Chinese and English name; ``push`` or ``pull`` null where that is not offered."""

    model_config = ConfigDict(frozen=True)

    kind: str
    title: str
    title_en: str
    push: PushKind | None
    pull: PullKind | None


class Kinds(BaseModel):
    """Every kind that this system takes or gives."""

    model_config = ConfigDict(frozen=True)

    kinds: list[Kind]


def find(systems: Iterable[System], kind: str) -> Document | None:
    """The document of that kind, or None."""
    return next((one for system in systems for one in system.documents if one.kind == kind), None)


def described(systems: Iterable[System]) -> Kinds:
    """Everything that may be pushed or pulled, by kind."""
    documents = (one for system in systems for one in system.documents)
    return Kinds(kinds=sorted((_described(one) for one in documents), key=lambda one: one.kind))


def _described(document: Document) -> Kind:
    schema = document.model().model_json_schema()
    push, pull = document.push, document.pull
    return Kind(
        kind=document.kind,
        title=document.title,
        title_en=document.title_en,
        push=push
        and PushKind(
            permission=push.permission,
            schema_=schema,
            result=push.result().model_json_schema(mode="serialization"),
        ),
        pull=pull and PullKind(permission=pull.permission, schema_=schema),
    )
