"""Whether pushed documents are right: each wrong one is named by place and field, and none is let in then."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from pydantic import BaseModel, ValidationError

from jincai.language import Language
from jincai.socket.document import Push
from jincai.standards import codes

# What is told of one document at most; a thousand unknown fields are one mistake.
MISTAKES_MOST = 20

Mistake = dict[str, Any]


def read(
    model: type[BaseModel], given: Sequence[Mapping[str, Any]], books: tuple[int, str], lang: Language
) -> tuple[dict[int, BaseModel], list[Mistake]]:
    """The right ones of ``given`` by place, and pydantic's errors (``loc`` from ``body``) for the others.

    Strict: an amount is a whole number, not a text of one. Year and division are those of the ``books``.
    """
    documents: dict[int, BaseModel] = {}
    mistakes: list[Mistake] = []
    for place, one in enumerate(given):
        try:
            document = model.model_validate_json(json.dumps(one), strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[:MISTAKES_MOST]
            mistakes += [{**wrong, "loc": _where(model, place, wrong)} for wrong in found]
            continue
        documents[place] = document
        mistakes += _other_books(document, place, books, lang)
    return documents, mistakes


async def unknown_codes(
    cx: AsyncConnection, push: Push, documents: Mapping[int, BaseModel], fiscal_year: int, lang: Language
) -> list[Mistake]:
    """A mistake for each code in ``documents`` that the year's standards in force do not have."""
    pairs = {
        (element, getattr(one, field))
        for one in documents.values()
        for field, element in push.elements.items()
    }
    unknown = set(await codes.unknown(cx, fiscal_year, pairs))
    return [
        _mistake(place, field, _unknown(element, getattr(one, field), fiscal_year, lang))
        for place, one in documents.items()
        for field, element in push.elements.items()
        if (element, getattr(one, field)) in unknown
    ]


def _other_books(document: BaseModel, place: int, books: tuple[int, str], lang: Language) -> list[Mistake]:
    expected = dict(zip(("fiscal_year", "division"), books, strict=True))
    return [
        _mistake(
            place,
            field,
            f"与本次推送不一致:应为 {value}" if lang == "zh" else f"must be {value}, as of the push",
        )
        for field, value in expected.items()
        if getattr(document, field) != value
    ]


def _unknown(element: str, code: str, fiscal_year: int, lang: Language) -> str:
    if lang == "zh":
        return f"{fiscal_year} 年现行标准 {element} 中没有代码 {code}"
    return f"{code} is no code of {element} in the standards in force for {fiscal_year}"


def _mistake(place: int, field: str, text: str) -> Mistake:
    return {"type": "socket", "loc": ("body", "documents", place, field), "msg": text}


def _where(model: type[BaseModel], place: int, wrong: Mapping[str, Any]) -> tuple[str | int, ...]:
    """A rule over several fields has no place of its own: the first field that its text names is it."""
    named = (
        wrong["loc"]
        or tuple(word for word in re.findall(r"[a-z_]+", wrong["msg"]) if word in model.model_fields)[:1]
    )
    return ("body", "documents", place, *named)
