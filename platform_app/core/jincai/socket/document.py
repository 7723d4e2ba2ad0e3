"""A kind of document as data: what an access system takes from others or gives to them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, LiteralString

from pydantic import BaseModel

if TYPE_CHECKING:
    from jincai.auth.principal import Principal
    from jincai.platform import Platform

Model = Callable[[], type[BaseModel]]
Receive = Callable[["Platform", "Principal", Sequence[BaseModel]], Awaitable[Sequence[BaseModel]]]


@dataclass(frozen=True)
class Push:
    """How documents of a kind are taken.

    Attributes:
        permission: the kind's own, beside ``socket.push``.
        result: makes the model of what each document is answered with.
        receive: takes admitted documents, all at once, and answers each in its place. It settles
            repetitions by the documents' own keys: after a crash it is handed the same documents again.
            What it refuses as a whole it refuses with an HTTPException, having done nothing.
        elements: field → element of the standards whose code it holds; checked before `receive` is asked.
    """

    permission: str
    result: Model
    receive: Receive
    elements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pull:
    """How documents of a kind are given.

    Attributes:
        permission: the kind's own, beside ``socket.pull``.
        rows: SELECT of the model's fields, of ``id`` (bigint, growing) and of the table's ``xmin`` as
            ``written``, for one %(fiscal_year)s and %(division)s; no ORDER BY, no LIMIT.
    """

    permission: str
    rows: LiteralString


@dataclass(frozen=True)
class Document:
    """One kind of document, of which an access system takes what is pushed, or gives what is pulled.

    Attributes:
        kind: such as ``payment_order``.
        title: Chinese name.
        title_en: English name.
        model: makes its model: pydantic, with ``fiscal_year`` and ``division``; money in fen. A factory, so
            that `jincai migrate` starts without the web framework.
        push: how it is taken, or None.
        pull: how it is given, or None.
    """

    kind: str
    title: str
    title_en: str
    model: Model
    push: Push | None = None
    pull: Pull | None = None
