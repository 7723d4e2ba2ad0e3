"""Turns the cells of a code table's file into rows, and says of each cell that is wrong what was expected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jincai.standards.elements import CODE, ELEMENTS
from jincai.standards.mistakes import Mistakes

NAME_MOST = 200
# Control characters, halves of characters, line ends and what is no character: no name has them.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_CODE_EXPECTED = (
    "应为字母数字开头的代码,最多30个字符",
    "expected a code: letters, digits, . and -, 30 at most",
)


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row; ``number`` is where it stands in its sheet."""

    number: int
    code: str
    name: str
    parent: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def headings(element: str, sheet: str, found: Sequence[str], mistakes: Mistakes) -> bool:
    """Whether ``found`` are headings of ``element``; what is missing, unknown or doubled is a mistake."""
    before = mistakes.count
    known = ELEMENTS[element].columns
    listed = ",".join(known)
    for name in known:
        if name not in found and name != "parent":
            mistakes.add(sheet, 1, name, f"缺少此列;应有 {listed}", f"is missing; expected {listed}")
    for place, name in enumerate(found):
        if name not in known:
            mistakes.add(sheet, 1, name, f"没有此列;应有 {listed}", f"is no column here; expected {listed}")
        elif name in found[:place]:
            mistakes.add(sheet, 1, name, "此列出现两次", "stands there twice")
    return mistakes.count == before


def row(
    element: str, sheet: str, number: int, cells: Mapping[str, str], mistakes: Mistakes
) -> CodeRow | None:
    """The row with these cells, or None if one of them is wrong."""
    before = mistakes.count

    def wrong(column: str, expected: tuple[str, str]) -> None:
        shown = _UNPRINTABLE.sub("�", cells.get(column, ""))[:40]
        mistakes.add(sheet, number, column, f"“{shown}”:{expected[0]}", f"“{shown}”: {expected[1]}")

    code, name, parent = cells["code"], cells["name"], cells.get("parent", "")
    if not CODE.fullmatch(code):
        wrong("code", _CODE_EXPECTED)
    if not 0 < len(name) <= NAME_MOST:
        wrong("name", (f"应有1到{NAME_MOST}个字符", f"expected 1 to {NAME_MOST} characters"))
    elif _UNPRINTABLE.search(name):
        wrong("name", ("含有不可打印的字符", "holds characters that cannot be printed"))
    if parent and not CODE.fullmatch(parent):
        wrong("parent", _CODE_EXPECTED)
    attributes = ELEMENTS[element].attributes
    for one, attribute in attributes.items():
        if not attribute.pattern.fullmatch(cells[one]):
            zh, en = attribute.expected
            wrong(one, (f"应为{zh}", f"expected {en}"))
    if mistakes.count > before:
        return None
    return CodeRow(number, code, name, parent or None, {one: cells[one] for one in attributes})
