"""Alerts for tests, and a rule that they name."""

import datetime as dt
from collections.abc import Sequence
from itertools import count

import psycopg

RULE = """\
id: {rule}
title: {title}
title_en: {title_en}
stage: during
level: orange
disposal: warn
reason: 拆分支付规避审批,应当合并审查。
legal_basis: 财政国库管理制度改革试点方案
thresholds:
  split_limit: {{value: 5000000, title: 限额}}
when: amount < split_limit
exempt:
  - {{when: "payee_kind_code = '9'", reason: 税款}}
examples:
  fires: [{{note: 例, record: {{amount: 1}}}}]
  passes: [{{note: 例, record: {{amount: 5000000}}}}]
"""
TITLES = {
    "R2": ("大额提现", "Large cash"),
    "R4": ("拆分支付", "Split payments"),
    "R10": ("重复支付", "Duplicate"),
}
_numbers = count(1)


def make_rules(cx: psycopg.Connection) -> None:
    """A second version of three of the shipped rules, in force together as edition 2."""
    for rule, (title, title_en) in TITLES.items():
        cx.execute(
            "INSERT INTO monitor.rule_version"
            " (rule, version, source, state, made_by, published_by, published_at)"
            " VALUES (%s, 2, %s, 'published', 'maker', 'checker', '2016-01-01 08:00+08')",
            (rule, RULE.format(rule=rule, title=title, title_en=title_en)),
        )
    cx.execute(
        "INSERT INTO monitor.edition (number, digest, reason, published_by, published_at)"
        " VALUES (2, sha256('x'), '启用', 'checker', '2016-01-01 08:00+08')"
    )


def alert(cx: psycopg.Connection, **more: object) -> int:
    """One more alert of Nanning; its id."""
    given: dict[str, object] = {
        "fiscal_year": 2016,
        "division": "450100",
        "agency_code": "101001",
        "subject": "payment",
        "subject_id": next(_numbers),
        "as_of": dt.date(2016, 3, 5),
        "amount": 1_234_567,
        "rule": "R4",
        "version": 2,
        "edition": 2,
        "stage": "during",
        "level": "orange",
        "disposal": "warn",
        "found_by": "posting",
        **more,
    }
    columns = ", ".join(given)
    values = ", ".join(f"%({name})s" for name in given)
    insert = f"INSERT INTO monitor.alert ({columns}) VALUES ({values}) RETURNING id"  # noqa: S608 - names of columns
    row = cx.execute(insert, given).fetchone()  # type: ignore[call-overload]
    assert row
    return int(row[0])


def alerts(cx: psycopg.Connection, how_many: int, **more: object) -> Sequence[int]:
    """Several in one statement each; their ids."""
    return [alert(cx, **more) for _ in range(how_many)]
