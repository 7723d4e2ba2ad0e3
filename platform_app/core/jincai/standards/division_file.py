"""Reads a CSV file of divisions: `code,name,level,parent,valid_from_year,valid_to_year`."""

import csv
import io
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jincai.errors import DataFileError

COLUMNS = ("code", "name", "level", "parent", "valid_from_year", "valid_to_year")
_ABOVE = {"province": None, "city": "province", "county": "city"}


class Row(BaseModel):
    """One division in one period; years inclusive, ``valid_to_year`` None while it is still valid."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(pattern=r"^[1-9][0-9]{5}$")
    name: str = Field(min_length=1, max_length=60)
    level: Literal["province", "city", "county"]
    parent: str | None = Field(pattern=r"^[1-9][0-9]{5}$")
    valid_from_year: int = Field(ge=1949, le=9999)
    valid_to_year: int | None = Field(ge=1949, le=9999)


def parse(text: str, file: str) -> tuple[Row, ...]:
    """The rows of ``text``; ``file`` names it in messages.

    Raises:
        DataFileError: names file, line and field of the first thing wrong.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DataFileError(
            f"{file}, line 1: the columns are {reader.fieldnames}, expected {','.join(COLUMNS)}"
        )
    numbered = [(reader.line_num, _row(record, f"{file}, line {reader.line_num}")) for record in reader]
    levels = {row.code: row.level for _, row in numbered}
    seen: set[tuple[str, int]] = set()
    for line, row in numbered:
        where = f"{file}, line {line}"
        if (row.code, row.valid_from_year) in seen:
            raise DataFileError(f"{where}, code: {row.code} from {row.valid_from_year} stands there twice")
        seen.add((row.code, row.valid_from_year))
        if (levels.get(row.parent) if row.parent else None) != _ABOVE[row.level]:
            raise DataFileError(
                f"{where}, parent: {row.parent!r} is not the {_ABOVE[row.level]} of a {row.level}"
            )
    return tuple(row for _, row in numbered)


def _row(record: dict[str, str | None], where: str) -> Row:
    if None in record or None in record.values():
        raise DataFileError(f"{where}: expected {len(COLUMNS)} fields")
    try:
        return Row.model_validate({field: value or None for field, value in record.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise DataFileError(f"{where}, {first['loc'][0]}: {first['msg']}, found {first['input']!r}") from None
