"""The tables of the page and of the workbook: a title, and lines with names in the reader's language."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from jincai import spreadsheet
from jincai.monitoring.alerts.words import LEVELS
from jincai.monitoring.statistics.figures import UNITS_MOST, Asked, Figures, Line


@dataclass(frozen=True)
class Shown:
    """One table and its chart.

    Attributes:
        key: its name in addresses and files.
        title: Chinese and English.
        head: heading of the first column, likewise.
        lines: what it shows.
        upright: whether the chart's columns stand, as months do.
    """

    key: str
    title: tuple[str, str]
    head: tuple[str, str]
    lines: Sequence[Line]
    upright: bool = False

    def name(self, line: Line, *, zh: bool) -> str:
        """What a line is called."""
        name = line.name if zh else line.name_en
        return (
            f"{line.code} {name}" if name and self.key == "rule" and name != line.code else name or line.code
        )

    def chart(self, *, zh: bool) -> str:
        """What charts.js draws, as JSON."""
        place = 0 if zh else 1
        return json.dumps(
            {
                "upright": self.upright,
                "names": [self.name(line, zh=zh) for line in self.lines],
                "series": [
                    {
                        "level": level,
                        "name": both[place],
                        "data": [getattr(line, level) for line in self.lines],
                    }
                    for level, both in LEVELS.items()
                ],
            },
            ensure_ascii=False,
        )

    def sheet(self, *, zh: bool) -> spreadsheet.Sheet:
        """Its headings and rows in a workbook."""
        place = 0 if zh else 1
        headings = [
            ("代码", "Code")[place],
            self.head[place],
            *(both[place] for both in LEVELS.values()),
            ("合计", "Total")[place],
            ("金额(元)", "Amount (yuan)")[place],
        ]
        rows = [
            [
                line.code,
                line.name if zh else line.name_en,
                *(getattr(line, level) for level in LEVELS),
                line.alerts,
                spreadsheet.yuan(line.amount),
            ]
            for line in self.lines
        ]
        return headings, rows


def of(figures: Figures) -> tuple[Shown, ...]:
    """Every table, in the order of the page."""
    units = (f"单位(前 {UNITS_MOST} 名)", f"Units (first {UNITS_MOST})")
    return (
        Shown("month", ("按月份", "By month"), ("月份", "Month"), figures.months, upright=True),
        Shown("rule", ("按规则", "By rule"), ("规则", "Rule"), figures.rules),
        Shown("place", ("按地区", "By place"), ("地区", "Place"), figures.places),
        Shown("unit", ("按单位", "By unit"), units, figures.units),
    )


def where(table: Shown, line: Line, asked: Asked) -> str:
    """The list that shows a line's alerts, of a city its own statistics; "" if neither can be asked for."""
    conditions = asked.model_dump(mode="json", exclude={"limit", "offset", "lang"}, exclude_none=True)
    if table.key == "place" and not line.conditions:
        return f"/monitor/statistics?{urlencode({**conditions, 'division': line.code})}"
    # The list takes a division as itself alone, without those below.
    if asked.division and asked.below != asked.division and "division" not in line.conditions:
        return ""
    return f"/monitor/alerts?{urlencode({**conditions, **line.conditions})}"
