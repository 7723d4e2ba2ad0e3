"""案件列表 as data: the worklists of the one who asks, and of a unit its inquiries."""

from typing import Literal, get_args

from psycopg import AsyncConnection, sql
from pydantic import BaseModel, ConfigDict

from jincai.monitoring.cases.case import CaseFile
from jincai.monitoring.cases.states import CONCLUSIONS, ESCALATIONS, LEVELS, STATES
from jincai.paging import Page
from jincai.tables import Address, Column, Filter, Table, Words

ListName = Literal["mine", "waiting", "overdue", "snoozed", "unassigned", "all"]
LISTS: Words = {
    "mine": ("我的案件", "Mine"),
    "waiting": ("等待单位", "Waiting for the unit"),
    "overdue": ("已逾期", "Overdue"),
    "snoozed": ("暂缓", "Snoozed"),
    "unassigned": ("待接手", "Nobody's"),
    "all": ("全部", "All"),
}
LATE: Words = {"yes": ("已逾期", "Overdue"), "no": ("未逾期", "In time")}

# Rules and amount stand in the list of columns, so that they are looked up after sorting, for the rows shown.
# The words of `lists` are the worklists that a case is on, for the one who asks.
_ROWS = """
SELECT c.id, c.fiscal_year, c.division, c.agency_code, c.subject, c.subject_id, c.state, c.revision,
       c.handler, c.level, c.escalation::text AS escalation, c.needs_attachment, c.due_at, c.snoozed_until,
       c.asked_at, c.conclusion, c.concluded_by, c.closed_by, c.opened_by, c.opened_at,
       to_char(c.due_at AT TIME ZONE 'Asia/Shanghai' - interval '1 microsecond', 'YYYY-MM-DD') AS due_day,
       (c.opened_at AT TIME ZONE 'Asia/Shanghai')::date AS opened_day,
       coalesce((SELECT string_agg(DISTINCT a.rule, ' ') FROM monitor.case_alert AS a
                  WHERE a.case_id = c.id), '') AS rules,
       coalesce((SELECT max(a.amount) FROM monitor.case_alert AS a WHERE a.case_id = c.id), 0) AS amount,
       CASE WHEN f.late THEN 'yes' ELSE 'no' END AS late,
       CASE c.level WHEN 'red' THEN 0 WHEN 'orange' THEN 1 ELSE 2 END AS urgency,
       concat_ws(' ', 'all',
           CASE WHEN f.own AND NOT f.asleep AND c.state NOT IN ('inquired', 'rectifying') THEN 'mine' END,
           CASE WHEN f.own AND c.state IN ('inquired', 'rectifying') THEN 'waiting' END,
           CASE WHEN f.own AND f.late THEN 'overdue' END,
           CASE WHEN f.own AND f.asleep THEN 'snoozed' END,
           CASE WHEN c.handler = '' AND c.state <> 'closed' THEN 'unassigned' END) AS lists
  FROM monitor.case_file AS c
  CROSS JOIN LATERAL (
       SELECT c.state <> 'closed' AND c.handler = (SELECT monitor.actor()) AS own,
              coalesce(c.snoozed_until > statement_timestamp(), false) AS asleep,
              c.state <> 'closed' AND coalesce(c.due_at < statement_timestamp(), false)
                  AND NOT coalesce(c.snoozed_until > statement_timestamp(), false) AS late) AS f
 WHERE (%(fiscal_year)s::int IS NULL OR c.fiscal_year = %(fiscal_year)s)
   AND (%(division)s::text IS NULL OR c.division = %(division)s)
"""
# Of these the unit reads what it is asked and until when; the office's own next step is none of its business.
_OF_UNIT = f"""
SELECT t.id, t.fiscal_year, t.division, t.agency_code, t.subject, t.subject_id, t.state, t.revision,
       '' AS handler, t.level, '0' AS escalation, t.needs_attachment, NULL::timestamptz AS snoozed_until,
       t.asked_at, t.conclusion, t.concluded_by, t.closed_by, '' AS opened_by, t.opened_at, t.rules, t.amount,
       CASE WHEN t.state IN ('inquired', 'rectifying') THEN t.due_at END AS due_at,
       CASE WHEN t.state IN ('inquired', 'rectifying') THEN t.due_day END AS due_day,
       CASE WHEN t.state IN ('inquired', 'rectifying') THEN t.late ELSE 'no' END AS late
  FROM ({_ROWS} AND c.asked_at IS NOT NULL) AS t
"""  # noqa: S608 - our own words
_COLUMNS = (
    Column("案件", "Case", "id", "number", link="/monitor/cases/{id}"),
    Column("级别", "Level", "level", words=LEVELS),
    Column("状态", "State", "state", words=STATES),
    Column("规则", "Rules", "rules"),
    Column("年度", "Year", "fiscal_year", "number"),
    Column("区划", "Division", "division"),
    Column("单位", "Unit", "agency_code"),
    Column("承办人", "Handler", "handler"),
    Column("到期", "Due", "due_day"),
    Column("逾期", "Overdue", "late", words=LATE),
    Column("升级", "Escalation", "escalation", words=ESCALATIONS),
    Column("结论", "Conclusion", "conclusion", words=CONCLUSIONS),
    Column("立案", "Opened", "opened_day", "date"),
    Column("金额(元)", "Amount (yuan)", "amount", "money"),
)
_FILTERS = (
    Filter("state", "状态", "State", "state", kind="choice", words=STATES),
    Filter("level", "级别", "Level", "level", kind="choice", words=LEVELS),
    Filter("escalation", "升级", "Escalation", "escalation", kind="choice", words=ESCALATIONS),
    Filter("late", "逾期", "Overdue", "late", kind="choice", words=LATE),
    Filter("conclusion", "结论", "Conclusion", "conclusion", kind="choice", words=CONCLUSIONS),
    Filter("agency_code", "单位", "Unit", "agency_code"),
    Filter("handler", "承办人", "Handler", "handler"),
    Filter("rule", "规则", "Rule", "rules", "contains"),
)

CASES = Table(
    name="cases",
    books=sql.Identifier("monitor", "case_file"),
    rows=_ROWS,
    columns=_COLUMNS,
    filters=(Filter("list", "清单", "List", "lists", "contains", "choice", LISTS), *_FILTERS),
    order=("-late", "urgency", "due_at", "id"),
)
INQUIRIES = Table(
    name="inquiries",
    books=sql.Identifier("monitor", "case_file"),
    rows=_OF_UNIT,
    columns=(
        Column("问询", "Inquiry", "id", "number", link="/monitor/inquiries/{id}"),
        *(one for one in _COLUMNS if one.field in {"state", "rules", "fiscal_year", "agency_code", "due_day",
                                                   "late", "conclusion", "amount"}),
    ),
    filters=(_FILTERS[0], _FILTERS[3]),
    order=("-late", "due_at", "id"),
)  # fmt: skip

# A closed case, as most are in time, is on the last list only.
_OPEN_LISTS = [name for name in get_args(ListName) if name != "all"]
_COUNTS = sql.SQL(
    "SELECT {counts}, (SELECT count(*) FROM monitor.case_file) FROM ({rows} AND c.state <> 'closed') AS t"
).format(
    counts=sql.SQL(", ").join(
        sql.SQL("count(*) FILTER (WHERE strpos(t.lists, {}) > 0)").format(sql.Literal(name))
        for name in _OPEN_LISTS
    ),
    rows=sql.SQL(_ROWS),
)


class CaseRow(CaseFile):
    """A case in a list; ``rules`` of its alerts, ``amount`` in fen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rules: str
    amount: int
    late: Literal["yes", "no"]


async def counts(cx: AsyncConnection) -> dict[str, int]:
    """How many cases are on each worklist of the one who asks."""
    row = await (await cx.execute(_COUNTS, {"fiscal_year": None, "division": None})).fetchone()
    return dict(zip((*_OPEN_LISTS, "all"), row or (), strict=True))


async def find(cx: AsyncConnection, table: Table, asked: Address) -> Page[CaseRow]:
    """The page ``asked`` for."""
    total = await table.count(cx, asked)
    rows = await table.find(cx, asked, asked.limit)
    return Page(
        items=[CaseRow.model_validate(row) for row in rows],
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


def asked_of(table: Table, given: BaseModel | dict[str, str]) -> Address:
    """What an address or an API's query asks of ``table``."""
    found = given.model_dump(exclude_none=True) if isinstance(given, BaseModel) else given
    return table.address().model_validate(found)
