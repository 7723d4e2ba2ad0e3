"""领取: gives each person the next alert that nobody has, and never one to two people."""

import uuid
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from jincai.auth.principal import Principal
from jincai.monitoring.cases import deadlines, trail
from jincai.monitoring.cases.states import CaseError
from jincai.monitoring.cases.trail import Told

# Past so many that others are taking in this very moment, one asks again.
AHEAD = 200
TRIES = 100

# What stops a payment, or says so, is answered with evidence.
EVIDENCED = frozenset({"warn_with_attachment", "hold", "forbid"})

_KEY = "hashtextextended(a.subject || ' ' || a.subject_id, 1667330661)"
_FACTS = """
a.id, a.fiscal_year, a.division, a.agency_code, a.subject, a.subject_id, a.rule, a.version, a.stage, a.level,
a.disposal, a.as_of, a.amount, a.found_at
"""
# The inner list is bounded and in order, so the locks are tried one by one until the first that is free:
# nobody holds more than the one he takes. Whoever comes later skips what is being taken, waiting for none.
_NEXT = f"""
SELECT a.id FROM (
       SELECT w.id, w.subject, w.subject_id
         FROM monitor.alert AS w
        WHERE NOT w.shadow AND w.id <> ALL (%s)
          AND NOT EXISTS (SELECT FROM monitor.case_alert AS c WHERE c.alert_id = w.id)
        ORDER BY CASE w.level WHEN 'red' THEN 0 WHEN 'orange' THEN 1 ELSE 2 END, w.id
        LIMIT %s) AS a
 WHERE pg_try_advisory_xact_lock({_KEY})
 LIMIT 1
"""  # noqa: S608 - our own words, here and below
_LOCK = f"SELECT pg_advisory_xact_lock({_KEY}) FROM monitor.alert AS a WHERE a.id = %s"  # noqa: S608
_ALERT = f"SELECT {_FACTS} FROM monitor.alert AS a WHERE a.id = %s AND NOT a.shadow"  # noqa: S608
# Asked anew, with the lock held: the list may have been made before somebody else committed.
_CASE_OF = """
SELECT c.id, c.handler FROM monitor.case_alert AS a LEFT JOIN monitor.case_file AS c ON c.id = a.case_id
 WHERE a.alert_id = %s
"""
_TAKEN = "SELECT EXISTS (SELECT FROM monitor.case_alert WHERE alert_id = %s)"
_OPEN = """
SELECT id, handler, state FROM monitor.case_file
 WHERE (subject, subject_id) = (%s, %s) AND state <> 'closed'
   FOR UPDATE
"""
_ALSO = f"""
SELECT {_FACTS} FROM monitor.alert AS a
 WHERE (a.subject, a.subject_id) = (%s, %s) AND NOT a.shadow
   AND NOT EXISTS (SELECT FROM monitor.case_alert AS c WHERE c.alert_id = a.id)
 ORDER BY a.id LIMIT 100
"""  # noqa: S608
_CREATE = """
INSERT INTO monitor.case_file (fiscal_year, division, agency_code, subject, subject_id, handler, level,
                               needs_attachment, due_at, opened_by, opened_key)
VALUES (%(fiscal_year)s, %(division)s, %(agency_code)s, %(subject)s, %(subject_id)s, %(actor)s, %(level)s,
        %(needs)s, %(due_at)s, %(actor)s, %(key)s)
ON CONFLICT (subject, subject_id) WHERE state <> 'closed' DO NOTHING
RETURNING id
"""
_BIND = """
INSERT INTO monitor.case_alert
       (alert_id, case_id, division, agency_code, rule, version, stage, level, disposal, as_of, amount,
        found_at)
VALUES (%(id)s, %(case_id)s, %(division)s, %(agency_code)s, %(rule)s, %(version)s, %(stage)s, %(level)s,
        %(disposal)s, %(as_of)s, %(amount)s, %(found_at)s)
"""
_JOIN = """
UPDATE monitor.case_file
   SET revision = revision + 1, needs_attachment = needs_attachment OR %(needs)s,
       level = CASE WHEN 'red' IN (level, %(level)s) THEN 'red'
                    WHEN 'orange' IN (level, %(level)s) THEN 'orange' ELSE 'yellow' END
 WHERE id = %(case_id)s
"""
_URGENCY = ("red", "orange", "yellow")

Alert = dict[str, Any]


async def take_next(cx: AsyncConnection, principal: Principal, key: uuid.UUID) -> int | None:
    """领取下一件: the case of the most urgent, oldest alert that nobody has; None if there is none.

    ``key`` names this asking: asked again under it, the answer is the same case.
    """
    if found := await _of_key(cx, key):
        return found
    passed: list[int] = []
    for _ in range(TRIES):
        row = await (await cx.execute(_NEXT.encode(), (passed, AHEAD))).fetchone()
        if row is None:
            return None
        taken = await (await cx.execute(_TAKEN, (row[0],))).fetchone()
        if taken and taken[0]:
            continue
        alert = await _alert(cx, row[0])
        # An open case of the same record takes the alert in, whoever has it; the next one is asked for.
        if await _joined(cx, alert) is None:
            if made := await _open(cx, principal, alert, key):
                return made
            passed.append(row[0])
    return None


async def take(cx: AsyncConnection, principal: Principal, alert_id: int, key: uuid.UUID) -> int:
    """领取: the case of the alert ``alert_id``, which is this person's from now on.

    Raises:
        CaseError: 404, there is no such alert; 409, somebody else has it.
    """
    if found := await _of_key(cx, key):
        return found
    await cx.execute(_LOCK.encode(), (alert_id,))
    alert = await _alert(cx, alert_id)
    row = await (await cx.execute(_CASE_OF, (alert_id,))).fetchone()
    held = (row[0], row[1]) if row else await _joined(cx, alert)
    if held is None and (made := await _open(cx, principal, alert, key)):
        return made
    # None of them: there is a case, and it was handed to where this person does not see it.
    if held is None or held[0] is None:
        raise CaseError(
            409,
            f"预警 {alert_id} 所涉业务已在您看不到的区划立案。",
            f"What alert {alert_id} is about has a case in a division that you do not see.",
        )
    if held[1] not in {principal.actor, ""}:
        raise CaseError(
            409,
            f"预警 {alert_id} 已由 {held[1]} 领取(案件 {held[0]})。",
            f"Alert {alert_id} is taken: case {held[0]} of {held[1]}.",
        )
    return int(held[0])


async def waiting(cx: AsyncConnection) -> int:
    """How many alerts wait to be taken, counted to 10,000."""
    row = await (
        await cx.execute(
            "SELECT count(*) FROM (SELECT FROM monitor.alert AS a WHERE NOT a.shadow AND NOT EXISTS"
            " (SELECT FROM monitor.case_alert AS c WHERE c.alert_id = a.id) LIMIT 10000) AS w"
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def _of_key(cx: AsyncConnection, key: uuid.UUID) -> int | None:
    row = await (
        await cx.execute("SELECT id FROM monitor.case_file WHERE opened_key = %s", (key,))
    ).fetchone()
    return int(row[0]) if row else None


async def _alert(cx: AsyncConnection, alert_id: int) -> Alert:
    async with cx.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(_ALERT.encode(), (alert_id,))).fetchone()
    if found is None:
        raise CaseError(404, f"没有预警 {alert_id}。", f"There is no alert {alert_id}.")
    return found


async def _joined(cx: AsyncConnection, alert: Alert) -> tuple[int, str] | None:
    """Number and handler of the open case of the same record, which has now taken ``alert`` in."""
    row = await (await cx.execute(_OPEN, (alert["subject"], alert["subject_id"]))).fetchone()
    if row is None:
        return None
    case_id, handler, state = row
    more = {"case_id": case_id, "needs": alert["disposal"] in EVIDENCED}
    await cx.execute(_BIND, alert | more)
    await cx.execute(_JOIN, alert | more)
    detail = {"alert": alert["id"], "rule": alert["rule"]}
    await trail.add(cx, case_id, Told("joined", state, state, detail=detail))
    return case_id, handler


async def _open(cx: AsyncConnection, principal: Principal, alert: Alert, key: uuid.UUID) -> int | None:
    """The new case; None if there is one that this person does not see: it was handed down."""
    async with cx.cursor(row_factory=dict_row) as cursor:
        same = (alert["subject"], alert["subject_id"])
        also = await (await cursor.execute(_ALSO.encode(), same)).fetchall()
    level = min((one["level"] for one in also), key=_URGENCY.index)
    row = await (
        await cx.execute(
            _CREATE,
            alert
            | {
                "actor": principal.actor,
                "level": level,
                "needs": any(one["disposal"] in EVIDENCED for one in also),
                "due_at": deadlines.due((await deadlines.days_of(cx, level))["first_look"]),
                "key": key,
            },
        )
    ).fetchone()
    if row is None:
        return None
    case_id = int(row[0])
    for one in also:
        await cx.execute(_BIND, one | {"case_id": case_id})
    detail = {"alerts": " ".join(str(one["id"]) for one in also)[:3000]}
    await trail.add(cx, case_id, Told("opened", "looking", "looking", detail=detail))
    return case_id
