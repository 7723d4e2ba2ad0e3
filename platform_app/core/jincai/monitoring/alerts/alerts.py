"""预警: a rule that fired, with what its readers need to know beside the row itself."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.monitoring.alerts import names, rule_titles
from jincai.monitoring.rule import Disposal, Level, Rule, Stage
from jincai.tables import Row

Id = Annotated[int, Field(gt=0, lt=2**63)]


class Alert(BaseModel):
    """One alert; ``amount`` in fen. Names are null where the standards have none for the code."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    division_name: str | None
    agency_code: str
    agency_name: str | None
    subject: Literal["payment", "held", "indicator"]
    subject_id: int
    as_of: dt.date
    amount: int
    rule: str
    version: int
    title: str
    title_en: str
    edition: int
    stage: Stage
    level: Level
    disposal: Disposal
    found_by: Literal["posting", "sweep"]
    found_at: dt.datetime


class Whole(BaseModel):
    """An alert, the rule as it was when it fired, the edition, and what else fired on the same subject."""

    model_config = ConfigDict(frozen=True)

    alert: Alert
    rule: Rule | None
    published_by: str | None
    published_at: dt.datetime | None
    others: list[Alert]


COLUMNS: LiteralString = (
    "id, fiscal_year, division, agency_code, subject, subject_id, as_of, amount, rule, version, edition, "
    "stage, level, disposal, found_by, found_at"
)
_ONE: LiteralString = f"""
SELECT {COLUMNS} FROM monitor.alert WHERE id = %s AND NOT shadow
"""  # noqa: S608 - of constants
_OTHERS: LiteralString = f"""
SELECT {COLUMNS}
  FROM monitor.alert
 WHERE subject_id = %(subject_id)s AND subject = %(subject)s AND NOT shadow AND id <> %(id)s
 ORDER BY id
 LIMIT 50
"""  # noqa: S608 - of constants
_RULE = """
SELECT v.source, e.published_by, e.published_at
  FROM monitor.rule_version AS v
  LEFT JOIN monitor.edition AS e ON e.number = %s
 WHERE v.rule = %s AND v.version = %s
"""


async def one(cx: AsyncConnection, number: int) -> Whole | None:
    """The alert with this id and everything about it; None if the session may see no such alert."""
    async with cx.cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(_ONE, (number,))).fetchone()
        if row is None:
            return None
        others = await (await cursor.execute(_OTHERS, row)).fetchall()
    ruled = await (await cx.execute(_RULE, (row["edition"], row["rule"], row["version"]))).fetchone()
    source, by, at = ruled or ("", None, None)
    alert, *rest = await dressed(cx, [row, *others])
    return Whole(alert=alert, rule=rule_titles.read(source), published_by=by, published_at=at, others=rest)


async def dressed(cx: AsyncConnection, rows: Sequence[Row]) -> list[Alert]:
    """Rows of `monitor.alert` with what rules, divisions and units are called; three statements in all."""
    titles = await rule_titles.of(cx, {(row["rule"], row["version"]) for row in rows})
    divisions = await names.of_divisions(cx, (row["division"] for row in rows))
    units = await names.of_units(cx, (_unit(row) for row in rows))
    return [
        Alert.model_validate(
            {
                **row,
                "title": titles[row["rule"], row["version"]][0],
                "title_en": titles[row["rule"], row["version"]][1],
                "division_name": divisions.get(row["division"]),
                "agency_name": units.get(_unit(row)),
            }
        )
        for row in rows
    ]


def _unit(row: Row) -> names.Unit:
    return row["fiscal_year"], row["division"], row["agency_code"]
