"""The form of a manual voucher (手工凭证): rows of lines, each mistake beside its field; no script needed."""

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Annotated, Literal

from jincai import problems
from jincai.language import Language
from jincai.money import Yuan, yuan
from jincai.pages.forms import Form
from jincai.paging import DivisionCode, Year
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jincai_ledger.asked import CODE
from jincai_ledger.draft_documents import CODE_OR_NONE, TEXT, Key
from jincai_ledger.draft_list import Draft
from jincai_ledger.drafts import Wanted
from jincai_ledger.entries import Line

ROWS = 6
ROWS_MORE = 6
ROWS_MOST = 200
COLUMNS = ("account", "item", "agency_code", "debit", "credit")

_Cells = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=ROWS_MOST)]


class VoucherForm(BaseModel):
    """What the form holds; its cells are read row by row by `lines_of`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    fiscal_year: Year
    division: DivisionCode
    kind: Literal["manual", "opening"] = "manual"
    vou_date: dt.date
    summary: str = Field(min_length=1, max_length=200, pattern=TEXT)
    account: _Cells = Field(default_factory=list)
    item: _Cells = Field(default_factory=list)
    agency_code: _Cells = Field(default_factory=list)
    debit: _Cells = Field(default_factory=list)
    credit: _Cells = Field(default_factory=list)
    more: str = ""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    account: str = Field(pattern=CODE)
    item: str = Field(default="", pattern=CODE_OR_NONE)
    agency_code: str = Field(default="", pattern=CODE_OR_NONE)
    debit: Yuan | None = Field(default=None, gt=0)
    credit: Yuan | None = Field(default=None, gt=0)


def rows_of(form: Form[VoucherForm], least: int) -> list[dict[str, str]]:
    """What was written, row by row, with blank rows up to ``least``."""
    columns = {name: _cells(form, name) for name in COLUMNS}
    number = min(max(least, *(len(cells) for cells in columns.values())), ROWS_MOST)
    return [
        {name: cells[n] if n < len(cells) else "" for name, cells in columns.items()} for n in range(number)
    ]


def wanted_of(form: Form[VoucherForm], lang: Language) -> Wanted | None:
    """The voucher that the form asks for, or None with the mistakes noted in the form."""
    lines = _lines_of(form, lang)
    given = form.value
    if given is None or form.errors:
        return None
    said = given.model_dump(
        include={"idempotency_key", "fiscal_year", "division", "kind", "vou_date", "summary"}
    )
    return Wanted(**said, lines=tuple(lines))


def sums_of(rows: Sequence[dict[str, str]]) -> dict[str, str] | None:
    """Both sides' sums and their difference as text, or None while an amount cannot be read."""
    try:
        parsed = [_Row.model_validate({**_filled(row), "account": "0"}) for row in rows]
    except ValidationError:
        return None
    debit = sum(row.debit or 0 for row in parsed)
    credit = sum(row.credit or 0 for row in parsed)
    return {"debit": yuan(debit), "credit": yuan(credit), "difference": yuan(debit - credit)}


def blank(year: int, division: str) -> Form[VoucherForm]:
    """A new form, with a key of its own."""
    given: dict[str, str | list[str]] = {
        "idempotency_key": secrets.token_urlsafe(18),
        "fiscal_year": str(year),
        "division": division,
        "kind": "manual",
    }
    return Form(given=given)


def of_draft(draft: Draft) -> Form[VoucherForm]:
    """The form as a draft stands."""
    given: dict[str, str | list[str]] = {
        "idempotency_key": secrets.token_urlsafe(18),
        "fiscal_year": str(draft.fiscal_year),
        "division": draft.division,
        "kind": draft.kind,
        "vou_date": draft.vou_date.isoformat(),
        "summary": draft.summary,
        "account": [line.account for line in draft.lines],
        "item": [line.item for line in draft.lines],
        "agency_code": [line.agency_code for line in draft.lines],
        "debit": [yuan(line.debit) if line.debit else "" for line in draft.lines],
        "credit": [yuan(line.credit) if line.credit else "" for line in draft.lines],
    }
    return Form(given=given)


def _lines_of(form: Form[VoucherForm], lang: Language) -> list[Line]:
    """The rows that are not blank; mistakes are noted under ``<column>_<row>``, rows from 1."""
    lines = []
    for n, row in enumerate(rows_of(form, 0), 1):
        filled = _filled(row)
        if not filled:
            continue
        try:
            read = _Row.model_validate(filled)
        except ValidationError as error:
            found = [{**one, "loc": ("form", *one["loc"])} for one in error.errors()]
            for mistake in problems.mistakes(found, lang):
                form.errors.setdefault(f"{mistake.field}_{n}", mistake.message)
            continue
        if (read.debit is None) == (read.credit is None):
            text = ("借方和贷方填写其一", "either debit or credit")[lang == "en"]
            form.errors.setdefault(f"debit_{n}", text)
            continue
        lines.append(Line(read.account, read.item, read.agency_code, read.debit or 0, read.credit or 0))
    return lines


def _cells(form: Form[VoucherForm], name: str) -> list[str]:
    cells = form.given.get(name, [])
    return [cells] if isinstance(cells, str) else cells


def _filled(row: dict[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in row.items() if text.strip()}
