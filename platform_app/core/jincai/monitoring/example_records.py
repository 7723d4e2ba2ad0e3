"""What an example's records are made of: a column for each field, and two for what each register answers."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.literals import literal
from jincai.monitoring.language.names import unknown
from jincai.monitoring.language.wording import TYPES
from jincai.monitoring.rule import Example, Value
from jincai.monitoring.vocabulary import Type, Vocabulary

NUMBER_MOST = 10**18
_SQL = {"text": "text", "fen": "bigint", "integer": "bigint", "date": "date", "boolean": "boolean"}
_PYTHON: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "fen": (int,),
    "integer": (int,),
    "date": (dt.date,),
    "boolean": (bool,),
}
_NOTHING: dict[str, Value] = {
    "text": "",
    "fen": 0,
    "integer": 0,
    "date": dt.date(2016, 3, 1),
    "boolean": False,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an example's record.

    Attributes:
        name: of the field or the register.
        type: of its values.
        ordinary: what stands there if the example does not say.
        lookup: whether it is a register's answer, or tells whether there is one.
        year_of: the date field whose year it has, if the example names that one but not this.
    """

    name: str
    type: Type
    ordinary: Value | None
    lookup: Literal["", "answer", "given"] = ""
    year_of: str | None = None

    @property
    def sql_type(self) -> str:
        """Its type in PostgreSQL."""
        return _SQL[self.type]

    def of(self, given: Mapping[str, Value]) -> Value | None:
        """What stands there."""
        if self.lookup == "given":
            return self.name in given
        if self.name not in given and self.year_of and isinstance(date := given.get(self.year_of), dt.date):
            return date.year
        return given.get(self.name, self.ordinary)


def columns(vocabulary: Vocabulary) -> dict[str, Column]:
    """The columns of examples, by their names in SQL."""
    date = next((name for name, one in vocabulary.fields.items() if one.sql == f"p.{vocabulary.date}"), None)
    found = {
        name: Column(
            name,
            one.type,
            _NOTHING[one.type] if one.ordinary is None else one.ordinary,
            year_of=date if name == "fiscal_year" else None,
        )
        for name, one in vocabulary.fields.items()
    }
    for name, one in vocabulary.lookups.items():
        found[f"{name}()"] = Column(name, one.answer, None, "answer")
        found[f"{name}?"] = Column(name, "boolean", None, "given")
    return found


def mistakes(
    example: Example, where: str, known: Mapping[str, Column], vocabulary: Vocabulary
) -> Iterator[str]:
    """What is wrong with an example: names that there are not, values of another type."""
    records = [("record", example.record)]
    records += [(f"earlier {n}", one) for n, one in enumerate(example.earlier, 1)]
    for part, record in records:
        for name, value in record.items():
            if name not in vocabulary.fields:
                yield f"{where}: {part}: {unknown('field', name, vocabulary.fields)}"
            elif problem := _misfit(value, known[name].type):
                yield f"{where}: {part}: {name}: {problem}"
    for name, value in example.lookups.items():
        if name not in vocabulary.lookups:
            yield f"{where}: lookups: {unknown('register', name, vocabulary.lookups)}"
        elif problem := _misfit(value, known[f"{name}()"].type):
            yield f"{where}: lookups: {name}: {problem}"


def _misfit(value: Value, wanted: Type) -> str | None:
    if not isinstance(value, _PYTHON[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        quoted = f": write '{value}' in quotes" if wanted == "text" else ""
        return f"{value!r} stands where {TYPES[wanted]} is expected{quoted}"
    if isinstance(value, int) and abs(value) > NUMBER_MOST:
        return f"{value} is too large"
    try:
        literal(value)
    except Refused as refused:
        return str(refused)
    return None
