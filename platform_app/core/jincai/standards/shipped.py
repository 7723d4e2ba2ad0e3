"""The code tables that a release ships: a CSV file per element, each row with the years it is valid in."""

import csv
import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from jincai.errors import DataFileError
from jincai.standards.elements import ELEMENTS

FIRST_YEAR = 2010


class Shipped(NamedTuple):
    """One row; ``attributes`` as JSON, years inclusive, ``valid_to_year`` None while it is still valid."""

    element: str
    code: str
    name: str
    parent: str | None
    attributes: str
    valid_from_year: int
    valid_to_year: int | None


@cache
def rows() -> tuple[Shipped, ...]:
    """The rows of every element.

    Raises:
        DataFileError: a shipped file is damaged; names file and line.
    """
    folder = resources.files("jincai.standards") / "data" / "codes"
    return tuple(
        row
        for element in ELEMENTS
        if (file := folder / f"{element}.csv").is_file()
        for row in _read(element, file)
    )


def _read(element: str, file: Traversable) -> list[Shipped]:
    reader = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    expected = (*ELEMENTS[element].columns, "valid_from_year", "valid_to_year")
    if tuple(reader.fieldnames or ()) != expected:
        raise DataFileError(f"{file.name}, line 1: the columns are not {','.join(expected)}")
    found = []
    for row in reader:
        if None in row or None in row.values():
            raise DataFileError(f"{file.name}, line {reader.line_num}: expected {len(expected)} fields")
        attributes = {name: row[name] for name in ELEMENTS[element].attributes}
        found.append(
            Shipped(
                element,
                row["code"],
                row["name"],
                row["parent"] or None,
                json.dumps(attributes, ensure_ascii=False),
                int(row["valid_from_year"]),
                int(row["valid_to_year"]) if row["valid_to_year"] else None,
            )
        )
    return found
