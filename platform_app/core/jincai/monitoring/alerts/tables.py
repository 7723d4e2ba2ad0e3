"""The list of alerts as data; pages, API and export are made from it."""

from psycopg import sql

from jincai.monitoring.alerts.words import DISPOSALS, LEVELS, STAGES
from jincai.tables import Column, Filter, Table

# Levels sort by how bad they are, which their names do not.
SEVERITY = {"1": LEVELS["yellow"], "2": LEVELS["orange"], "3": LEVELS["red"]}

ALERTS = Table(
    name="alerts",
    books=sql.Identifier("monitor", "alert"),
    # Year and division may stay open: who watches a region watches all of it.
    rows="""
SELECT id, fiscal_year, division, agency_code, subject, subject_id, as_of, amount, rule, version, edition,
       stage, level, disposal, found_by, found_at,
       CASE level WHEN 'red' THEN '3' WHEN 'orange' THEN '2' ELSE '1' END AS severity
  FROM monitor.alert
 WHERE NOT shadow
   AND (%(fiscal_year)s::int IS NULL OR fiscal_year = %(fiscal_year)s)
   AND (%(division)s::text IS NULL OR division = %(division)s)
""",
    columns=(
        Column("级别", "Level", "severity", words=SEVERITY),
        Column("发现时间", "Found at", "id"),
        Column("规则", "Rule", "rule"),
        Column("区划", "Division", "division"),
        Column("单位", "Unit", "agency_code"),
        Column("业务日期", "Business date", "as_of", "date"),
        Column("金额(元)", "Amount (yuan)", "amount", "money"),
        Column("阶段", "Stage", "stage", words=STAGES),
        Column("处置", "Disposal", "disposal", words=DISPOSALS),
    ),
    filters=(
        Filter("level", "级别", "Level", "level", kind="choice", words=LEVELS),
        Filter("rule", "规则", "Rule", "rule"),
        Filter("stage", "阶段", "Stage", "stage", kind="choice", words=STAGES),
        Filter("disposal", "处置", "Disposal", "disposal", kind="choice", words=DISPOSALS),
        Filter("agency_code", "单位", "Unit", "agency_code"),
        Filter("date_from", "日期从", "From", "as_of", "from", "date"),
        Filter("date_to", "日期到", "To", "as_of", "to", "date"),
    ),
    order=("-id",),
)
