"""One case: its facts, its alerts with what their rules say, its trail and whether that is whole."""

import datetime as dt

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from jincai.errors import DataFileError
from jincai.identity import SHANGHAI
from jincai.monitoring import rule_file
from jincai.monitoring.cases.states import CaseError, State

_COLUMNS = """
id, fiscal_year, division, agency_code, subject, subject_id, state, revision, handler, level, escalation,
needs_attachment, due_at, snoozed_until, asked_at, conclusion, concluded_by, closed_by, opened_by, opened_at
"""
_FIND = f"SELECT {_COLUMNS} FROM monitor.case_file WHERE id = %s"  # noqa: S608 - columns above
_ALERTS = """
SELECT a.alert_id, a.rule, a.version, a.stage, a.level, a.disposal, a.as_of, a.amount, a.found_at, v.source
  FROM monitor.case_alert AS a
  LEFT JOIN monitor.rule_version AS v USING (rule, version)
 WHERE a.case_id = %s
 ORDER BY a.alert_id LIMIT 200
"""
_EVENTS = """
SELECT n, action, actor, at, from_state, to_state, text, detail, visible_to_unit
  FROM monitor.case_event WHERE case_id = %s ORDER BY n
"""
_ATTACHMENTS = """
SELECT id, n, name, kind, octet_length(bytes) AS size FROM monitor.case_attachment
 WHERE case_id = %s ORDER BY id
"""
# Each event as it was written, after the one before, up to the end that the case keeps; and every attachment
# as its event says (that its bytes are those of its SHA-256, the table checks itself).
_WHOLE = """
SELECT bool_and(hash = made AND n = place AND prev_hash = before AND files = attached)
       AND count(*) = min(last_n) AND bool_or(n = last_n AND hash = last_hash)
  FROM (SELECT e.hash, e.n, e.prev_hash, e.files, c.last_n, c.last_hash,
               monitor.event_hash(e) AS made, row_number() OVER w AS place,
               lag(e.hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS before,
               ARRAY(SELECT encode(a.sha256, 'hex') || ' ' || a.name
                       FROM monitor.case_attachment AS a
                      WHERE (a.case_id, a.n) = (e.case_id, e.n) ORDER BY a.id) AS attached
          FROM monitor.case_event AS e
          JOIN monitor.case_file AS c ON c.id = e.case_id
         WHERE e.case_id = %s
        WINDOW w AS (ORDER BY e.n)) AS trail
"""


class CaseFile(BaseModel):
    """案件."""

    model_config = ConfigDict(frozen=True)

    id: int
    fiscal_year: int
    division: str
    agency_code: str
    subject: str
    subject_id: int
    state: State
    revision: int
    handler: str
    level: str
    escalation: int
    needs_attachment: bool
    due_at: dt.datetime | None
    snoozed_until: dt.datetime | None
    asked_at: dt.datetime | None
    conclusion: str
    concluded_by: str | None
    closed_by: str | None
    opened_by: str
    opened_at: dt.datetime

    @property
    def overdue(self) -> bool:
        """Whether its due moment has passed, and nobody put it off."""
        now = dt.datetime.now(SHANGHAI)
        return bool(self.state != "closed" and self.due_at and self.due_at < now and not self.snoozed)

    @property
    def snoozed(self) -> bool:
        """Whether it sleeps now."""
        return self.snoozed_until is not None and self.snoozed_until > dt.datetime.now(SHANGHAI)


class CaseAlert(BaseModel):
    """An alert of a case, with what its rule's version says; blank where that can be read no more."""

    model_config = ConfigDict(frozen=True)

    alert_id: int
    rule: str
    version: int
    stage: str
    level: str
    disposal: str
    as_of: dt.date
    amount: int
    found_at: dt.datetime
    title: str = ""
    title_en: str = ""
    reason: str = ""
    legal_basis: str = ""


class Attachment(BaseModel):
    """附件 of an event; ``size`` in bytes."""

    model_config = ConfigDict(frozen=True)

    id: int
    n: int
    name: str
    kind: str
    size: int


class Event(BaseModel):
    """One step of a case."""

    model_config = ConfigDict(frozen=True)

    n: int
    action: str
    actor: str
    at: dt.datetime
    from_state: str
    to_state: str
    text: str
    detail: dict[str, str | int | bool | None]
    visible_to_unit: bool
    attachments: list[Attachment] = []


class Case(CaseFile):
    """A case with everything; ``whole``: its trail verifies (None: the reader sees a part of it only)."""

    alerts: list[CaseAlert]
    events: list[Event]
    whole: bool | None


async def find(cx: AsyncConnection, case_id: int, *, lock: bool = False) -> CaseFile:
    """The case; with ``lock`` nobody else moves it until the transaction ends.

    Raises:
        CaseError: 404, there is none that this session may see.
    """
    async with cx.cursor(row_factory=class_row(CaseFile)) as cursor:
        question = f"{_FIND} FOR UPDATE" if lock else _FIND
        found = await (await cursor.execute(question.encode(), (case_id,))).fetchone()
    if found is None:
        raise CaseError(404, f"没有案件 {case_id}。", f"There is no case {case_id}.")
    return found


async def read(cx: AsyncConnection, case_id: int, *, as_unit: bool = False) -> Case:
    """The case with everything that the session may see; ``as_unit``: what its unit is told.

    Raises:
        CaseError: 404, there is none.
    """
    found = await (require_asked(cx, case_id) if as_unit else find(cx, case_id))
    alerts = [_alert(*row) for row in await (await cx.execute(_ALERTS, (case_id,))).fetchall()]
    events = await _events(cx, case_id)
    if as_unit:
        events = [one for one in events if one.visible_to_unit]
        found = for_unit(found)
    return Case(
        **found.model_dump(),
        alerts=alerts,
        events=events,
        whole=None if as_unit else await verified(cx, case_id),
    )


def for_unit(found: CaseFile) -> CaseFile:
    """The case without what is the office's own: who has it, how high it went, when its next step is due."""
    inner: dict[str, object] = {"handler": "", "escalation": 0, "snoozed_until": None, "opened_by": ""}
    if found.state not in {"inquired", "rectifying"}:
        inner["due_at"] = None
    return found.model_copy(update=inner)


async def require_asked(cx: AsyncConnection, case_id: int) -> CaseFile:
    """The case, if its unit was asked about it.

    Raises:
        CaseError: 404, it was not, or there is none that this session may see.
    """
    found = await find(cx, case_id)
    if found.asked_at is None:
        raise CaseError(404, f"没有问询 {case_id}。", f"There is no inquiry {case_id}.")
    return found


async def verified(cx: AsyncConnection, case_id: int) -> bool:
    """Whether the trail is what was written: no event changed, missing or added, no attachment either."""
    row = await (await cx.execute(_WHOLE, (case_id,))).fetchone()
    return bool(row and row[0])


async def _events(cx: AsyncConnection, case_id: int) -> list[Event]:
    async with cx.cursor(row_factory=class_row(Attachment)) as cursor:
        attached = await (await cursor.execute(_ATTACHMENTS, (case_id,))).fetchall()
    async with cx.cursor(row_factory=class_row(Event)) as cursor:
        events = await (await cursor.execute(_EVENTS, (case_id,))).fetchall()
    return [
        one.model_copy(update={"attachments": [file for file in attached if file.n == one.n]})
        for one in events
    ]


def _alert(*row: object) -> CaseAlert:
    *facts, source = row
    names = list(CaseAlert.model_fields)[: len(facts)]
    made = CaseAlert.model_validate(dict(zip(names, facts, strict=True)))
    try:
        rule = rule_file.load(str(source), made.rule) if source else None
    except DataFileError:
        return made
    said = {"title", "title_en", "reason", "legal_basis"}
    return made.model_copy(update=rule.model_dump(include=said)) if rule else made
