"""The document contract: what an access system may hand in, and that two cannot handle one kind."""

from importlib import metadata
from types import SimpleNamespace

import pytest
from jincai import plugins
from jincai.errors import PluginError
from jincai.socket import kinds
from jincai.socket.document import Document, Pull, Push
from jincai.system import System
from pydantic import BaseModel, ValidationError


class Sheet(BaseModel):
    fiscal_year: int
    division: str


async def receive(_platform, _principal, documents):
    return documents


def document(kind: str, *, push: bool = False, pull: bool = False) -> Document:
    return Document(
        kind=kind,
        title="单据",
        title_en="Sheet",
        model=lambda: Sheet,
        push=Push(permission="x.post", result=lambda: Sheet, receive=receive) if push else None,
        pull=Pull(permission="x.read", rows="SELECT") if pull else None,
    )


def system(code: str, *documents: Document, **more: object) -> System:
    said: dict[str, object] = {"name": code, "name_en": code, "version": "1", "platform": ">=1.0"}
    said |= {"migrations": "m", "router": lambda: None, "documents": documents}
    return System.model_validate(said | {"code": code, "dist": f"jincai-{code}"} | more)


@pytest.mark.parametrize(
    ("one", "more"),
    [
        (document("sheet", push=True), {"publishes": ("sheet",)}),
        (document("sheet", pull=True), {"consumes": ("sheet",)}),
    ],
)
def test_what_is_handed_in_is_announced(one: Document, more: dict) -> None:
    with pytest.raises(ValidationError, match="'sheet' can be pu"):
        system("one", one, **more)


def test_two_systems_cannot_handle_one_kind() -> None:
    found = [
        system("one", document("sheet", push=True), consumes=("sheet",)),
        system("two", document("sheet", pull=True), publishes=("sheet",)),
    ]
    entries = [
        SimpleNamespace(name=one.code, value="x", dist=None, load=lambda one=one: one) for one in found
    ]
    with pytest.raises(
        PluginError, match="'sheet' are handled by more than one: jincai-one 1 and jincai-two 1"
    ):
        plugins.load(entries)  # type: ignore[arg-type]


def test_one_kind_may_go_both_ways() -> None:
    both = document("sheet", push=True, pull=True)
    one = system("one", both, consumes=("sheet",), publishes=("sheet",))
    (described,) = kinds.described([one]).kinds
    assert described.push is not None
    assert described.pull is not None
    assert described.push.schema_ == described.pull.schema_
    assert kinds.find([one], "sheet") is both
    assert kinds.find([one], "other") is None


def test_every_installed_kind_has_year_and_division() -> None:
    assert list(metadata.entry_points(group=plugins.GROUP))
    for installed in plugins.load():
        for one in installed.documents:
            assert {"fiscal_year", "division"} <= one.model().model_fields.keys()
