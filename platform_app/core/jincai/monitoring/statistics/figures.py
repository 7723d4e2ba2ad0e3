"""The figures: one pass over the alerts that match, whatever is asked of them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from psycopg import AsyncConnection
from pydantic import Field

from jincai.monitoring.alerts import names, rule_titles
from jincai.pages.query import PageAddress
from jincai.paging import DivisionCode, PageQuery, Year

UNITS_MOST = 20
Rule = Annotated[str, Field(pattern=r"^R[1-9][0-9]{0,3}$")]


class Asked(PageQuery, PageAddress):
    """Which alerts count. A city's division stands for all below it too; dates are business dates."""

    fiscal_year: Year | None = None
    division: DivisionCode | None = None
    rule: Rule | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None

    @property
    def below(self) -> str:
        """What divisions must begin with."""
        code = self.division or ""
        return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


@dataclass
class Line:
    """One line of a table: how many of each level, and the sum of their amounts in fen."""

    red: int = 0
    orange: int = 0
    alerts: int = 0
    amount: int = 0
    code: str = ""
    name: str = ""
    name_en: str = ""
    # Conditions of the list that shows these alerts.
    conditions: dict[str, str] = field(default_factory=dict)

    @property
    def yellow(self) -> int:
        """What is neither red nor orange."""
        return self.alerts - self.red - self.orange

    def add(self, other: "Line") -> None:
        """Count ``other`` in."""
        self.red += other.red
        self.orange += other.orange
        self.alerts += other.alerts
        self.amount += other.amount


@dataclass
class Figures:
    """Everything the page shows; places are cities, or a city's divisions once one is chosen."""

    whole: Line
    rules: list[Line]
    months: list[Line]
    places: list[Line]
    units: list[Line]
    rules_in_use: dict[str, rule_titles.Title]


# Two groupings in one pass over the alerts; what is shown is summed up from their few thousand lines.
# Of units only the first are sent, there may be ten thousand.
_LINES = """
WITH counted AS MATERIALIZED (
    SELECT grouping(rule) AS of_units, rule, as_of, division, agency_code,
           count(*) AS alerts,
           count(*) FILTER (WHERE level = 'red') AS red,
           count(*) FILTER (WHERE level = 'orange') AS orange,
           sum(amount)::bigint AS amount
      FROM monitor.alert
     WHERE NOT shadow
       AND (%(fiscal_year)s::int IS NULL OR fiscal_year = %(fiscal_year)s)
       AND (%(below)s = '' OR left(division, length(%(below)s)) = %(below)s)
       AND (%(rule)s::text IS NULL OR rule = %(rule)s)
       AND (%(date_from)s::date IS NULL OR as_of >= %(date_from)s)
       AND (%(date_to)s::date IS NULL OR as_of <= %(date_to)s)
     GROUP BY GROUPING SETS ((rule, as_of), (division, agency_code))
)
SELECT 'rule' AS kind, rule AS code, '' AS unit, sum(alerts)::bigint AS alerts, sum(red)::bigint,
       sum(orange)::bigint, sum(amount)::bigint
  FROM counted
 WHERE of_units = 0
 GROUP BY rule
 UNION ALL
SELECT 'month', to_char(as_of, 'YYYY-MM'), '', sum(alerts)::bigint, sum(red)::bigint,
       sum(orange)::bigint, sum(amount)::bigint
  FROM counted
 WHERE of_units = 0
 GROUP BY 2
 UNION ALL
SELECT 'division', division, '', sum(alerts)::bigint, sum(red)::bigint,
       sum(orange)::bigint, sum(amount)::bigint
  FROM counted
 WHERE of_units = 1
 GROUP BY division
 UNION ALL
(SELECT 'unit', division, agency_code, alerts, red, orange, amount
   FROM counted
  WHERE of_units = 1
  ORDER BY alerts DESC, division, agency_code
  LIMIT %(most)s)
"""


async def read(cx: AsyncConnection, asked: Asked) -> Figures:
    """The figures, as the session may see them."""
    given = {**asked.model_dump(), "below": asked.below, "most": UNITS_MOST}
    rows = await (await cx.execute(_LINES, given)).fetchall()
    titles = await rule_titles.in_use(cx)
    by_rule: dict[str, Line] = {}
    by_month: dict[str, Line] = {}
    by_place: dict[str, Line] = {}
    whole = Line()
    units: list[Line] = []
    wide = len(asked.below) < 4
    for kind, code, unit, *numbers in rows:
        line = _line(numbers)
        if kind == "rule":
            whole.add(line)
            _add(by_rule, code, line, rule=code)
        elif kind == "division":
            place = f"{code[:4]}00" if wide else code
            _add(by_place, place, line, **({} if wide else {"division": place}))
        elif kind == "month":
            _add(by_month, code, line, **_month(code))
        else:
            line.code, line.conditions = unit, {"division": code, "agency_code": unit}
            units.append(line)
    places = await names.of_divisions(cx, {*by_place, *(one.conditions["division"] for one in units)})
    for code, line in by_place.items():
        line.name = line.name_en = places.get(code, code)
    for code, line in by_rule.items():
        line.name, line.name_en = titles.get(code, (code, code))
    await _name_units(cx, units, places, asked.fiscal_year)
    return Figures(
        whole=whole,
        rules=_most_first(by_rule.values()),
        months=sorted(by_month.values(), key=lambda line: line.code),
        places=_most_first(by_place.values()),
        units=_most_first(units),
        rules_in_use=titles,
    )


def _line(numbers: list[Any]) -> Line:
    alerts, red, orange, amount = numbers
    return Line(red=red, orange=orange, alerts=alerts, amount=amount)


def _add(lines: dict[str, Line], code: str, line: Line, **conditions: str) -> None:
    lines.setdefault(code, Line(code=code, conditions=conditions)).add(line)


def _month(month: str) -> dict[str, str]:
    first = dt.date.fromisoformat(f"{month}-01")
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return {"date_from": first.isoformat(), "date_to": last.isoformat()}


def _most_first(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-line.alerts, line.code))


async def _name_units(
    cx: AsyncConnection, units: list[Line], places: dict[str, str], year: int | None
) -> None:
    """Units as this year's standards call them, or those of the year asked for."""
    of_year = year or dt.datetime.now(dt.UTC).year
    found = await names.of_units(cx, ((of_year, one.conditions["division"], one.code) for one in units))
    for one in units:
        division = one.conditions["division"]
        name = found.get((of_year, division, one.code), one.code)
        one.name = one.name_en = f"{places.get(division, division)} · {name}"
