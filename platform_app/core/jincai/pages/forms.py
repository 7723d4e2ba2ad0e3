"""Forms: what a person filled in, checked, with each mistake beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from jincai import language, problems
from jincai.money import Yuan

__all__ = ["Form", "Yuan", "empty", "read"]

FIELDS_MOST = 2_000

M = TypeVar("M", bound=BaseModel)


@dataclass
class Form(Generic[M]):
    """What came of a form.

    Attributes:
        value: the model, if everything in it is right.
        errors: field → what is wrong with it, in the reader's language; "" for the form as a whole.
        given: field → what the person wrote (a list where a field may come several times).
    """

    value: M | None = None
    errors: dict[str, str] = field(default_factory=dict)
    given: dict[str, str | list[str]] = field(default_factory=dict)

    def refuse(self, message: str, name: str = "") -> "Form[M]":
        """The same form with a mistake that only the database could tell."""
        self.value = None
        self.errors[name] = message
        return self


def empty(**given: str) -> Form[BaseModel]:
    """A form to be filled in, with what is suggested."""
    return Form(given=dict(given))


async def read(request: Request, model: type[M], *, several: frozenset[str] = frozenset()) -> Form[M]:
    """The form that ``request`` brings, as ``model``; blank fields count as not given.

    ``several`` names fields that may come more than once; the model gets them as lists.

    Raises:
        HTTPException: 400, it is no form; 413, more fields than anybody fills in.
    """
    given = _given(await _fields(request), several)
    form = Form[M](given=given)
    filled = {name: value for name, value in given.items() if value not in ("", [])}
    try:
        form.value = model.model_validate(filled)
    except ValidationError as error:
        for mistake in problems.mistakes(
            [{**e, "loc": ("form", *e["loc"])} for e in error.errors()], language.of(request)
        ):
            form.errors.setdefault(mistake.field, mistake.message)
    return form


async def _fields(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=FIELDS_MOST)
    except HTTPException:
        raise
    except (ValueError, AssertionError):
        raise HTTPException(400) from None


def _given(fields: FormData, several: frozenset[str]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for name in fields:
        values = [value for value in fields.getlist(name) if not isinstance(value, UploadFile)]
        found[name] = values if name in several else (values[-1] if values else "")
    return found


def words(choices: Mapping[str, tuple[str, str]], request: Request) -> dict[str, str]:
    """Choices in the reader's language."""
    place = 0 if language.of(request) == "zh" else 1
    return {code: both[place] for code, both in choices.items()}
