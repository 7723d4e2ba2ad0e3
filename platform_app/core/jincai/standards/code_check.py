"""What rows of an import must have around them: a parent, a division, an account; and nothing twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jincai.standards.code_file import Tables
from jincai.standards.code_rows import CodeRow
from jincai.standards.mistakes import Mistakes


@dataclass(frozen=True)
class Present:
    """What the draft holds before an import.

    Attributes:
        parents: element → code → its parent.
        divisions: codes of the divisions valid in the draft's year.
    """

    parents: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    divisions: frozenset[str] = frozenset()


def check(tables: Tables, present: Present, mistakes: Mistakes, *, replace: bool) -> None:
    """Add to ``mistakes`` whatever in ``tables`` would not fit the draft after the import."""
    after = {
        element: {
            **({} if replace else present.parents.get(element, {})),
            **{one.code: one.parent for one in rows},
        }
        for element, rows in tables.items()
    }
    for element, rows in tables.items():
        _doubles(element, rows, mistakes)
        _parents(element, rows, after[element], mistakes)
    for one in tables.get("agency", []):
        division = one.attributes["division"]
        if division not in present.divisions:
            zh, en = f"{division} 不是当年的行政区划", f"{division} is no division of that year"
            mistakes.add("agency", one.number, "division", zh, en)
    _accounts(tables, after, present, mistakes)


def _doubles(element: str, rows: list[CodeRow], mistakes: Mistakes) -> None:
    first: dict[str, int] = {}
    for one in rows:
        if (before := first.setdefault(one.code, one.number)) != one.number:
            zh, en = f"{one.code} 在第{before}行已出现", f"{one.code} stands in row {before} already"
            mistakes.add(element, one.number, "code", zh, en)


def _parents(element: str, rows: list[CodeRow], after: Mapping[str, str | None], mistakes: Mistakes) -> None:
    ends: set[str] = set()
    for one in rows:
        if one.parent is None:
            continue
        if one.parent not in after:
            zh, en = f"没有上级代码 {one.parent}", f"there is no code {one.parent}"
            mistakes.add(element, one.number, "parent", zh, en)
            continue
        line: set[str] = set()
        code: str | None = one.code
        while code is not None and code not in ends and code not in line:
            line.add(code)
            code = after.get(code)
        if code in line:
            zh, en = (
                f"{one.code} 的上级又回到它自己",
                f"the parents of {one.code} lead back to where they began",
            )
            mistakes.add(element, one.number, "parent", zh, en)
        ends |= line


def _accounts(
    tables: Tables, after: Mapping[str, Mapping[str, str | None]], present: Present, mistakes: Mistakes
) -> None:
    """Every account that is mapped to another chart is an account of this one."""
    if not {"account", "account_map"} & set(tables):
        return
    accounts = after.get("account", present.parents.get("account", {}))
    rows = {one.code: one.number for one in tables.get("account_map", [])}
    for code in after.get("account_map", present.parents.get("account_map", {})):
        if code not in accounts:
            zh, en = f"会计科目中没有 {code}", f"{code} is no account"
            mistakes.add("account_map", rows.get(code, 0), "code", zh, en)
