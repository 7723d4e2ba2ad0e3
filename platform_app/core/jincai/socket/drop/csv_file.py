"""Reads a dropped CSV file: a header of field names, then one document a line."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

from jincai.language import Language
from jincai.socket.drop.lines import LINES_MOST, Line, Mistakes, refused, text_of, too_many


def read(data: bytes, lang: Language) -> list[Line]:
    """The documents of the file; empty lines are none.

    Raises:
        FileRefusedError: names line and column of everything that is wrong with its form.
    """
    zh = lang == "zh"
    rows = _rows(text_of(data, lang))
    header = [name.strip() for name in next(rows, (1, []))[1]]
    if not any(header):
        raise refused(1, "", "", "首行为字段名" if zh else "field names in the first line")
    if double := [name for name, times in Counter(header).items() if times > 1]:
        raise refused(1, double[0], double[0], "字段名不得重复" if zh else "each field name once")
    lines: list[Line] = []
    mistakes = Mistakes()
    for number, row in rows:
        line = Line(number, len(lines) + 1, dict(zip(header, row, strict=False)))
        if len(row) != len(header):
            fields = f"{len(header)} 个字段" if zh else f"{len(header)} fields"
            mistakes.add(line, "", str(len(row)), fields)
        if len(lines) == LINES_MOST:
            raise refused(number, "", "", too_many(lang))
        lines.append(line)
    mistakes.refuse_if_any(lang)
    if not lines:
        raise refused(1, "", "", "至少一行数据" if zh else "at least one line after the header")
    return lines


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    last = 0
    try:
        for row in reader:
            if row:
                yield last + 1, row
            last = reader.line_num
    except csv.Error as error:
        raise refused(reader.line_num, "", str(error), "CSV (RFC 4180)") from None
