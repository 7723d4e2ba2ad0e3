"""期限: when a step is due, and what happens when it passes: each passed one escalates its case once."""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import psycopg
from psycopg import AsyncConnection

from jincai.auth import sessions
from jincai.errors import DatabaseUnavailableError
from jincai.identity import SHANGHAI
from jincai.monitoring.cases import trail
from jincai.monitoring.cases.states import State
from jincai.platform import Platform

log = logging.getLogger(__name__)

Step = Literal["first_look", "office", "inquiry", "rectification"]
# For a step that the site has taken out of its table.
USUAL_DAYS: dict[Step, int] = {"first_look": 3, "office": 5, "inquiry": 5, "rectification": 20}
ESCALATION_MOST = 3
ACTOR = "system"
PAUSE_SECONDS = 60.0
SESSION_SECONDS = 3600.0
# One piece of work; the next follows at once.
AT_ONCE = 100
_LOCK = 0x63617365  # "case"

_DAYS = "SELECT step, days FROM monitor.case_days WHERE level = %s"
_PASSED = """
SELECT id, state, revision, due_at FROM monitor.case_file
 WHERE state <> 'closed' AND due_at < statement_timestamp() AND overdue_of IS DISTINCT FROM due_at
   AND (snoozed_until IS NULL OR snoozed_until <= statement_timestamp())
 ORDER BY due_at, id LIMIT %s
   FOR UPDATE SKIP LOCKED
"""
_ESCALATE = """
UPDATE monitor.case_file
   SET revision = revision + 1, overdue_of = due_at, escalation = least(escalation + 1, %s)
 WHERE id = %s RETURNING escalation
"""
_SLEPT = """
SELECT id, state, revision, snoozed_until FROM monitor.case_file
 WHERE snoozed_until <= statement_timestamp() AND state <> 'closed'
 ORDER BY snoozed_until, id LIMIT %s
   FOR UPDATE SKIP LOCKED
"""
_WAKE = "UPDATE monitor.case_file SET revision = revision + 1, snoozed_until = NULL WHERE id = %s"


async def days_of(cx: AsyncConnection, level: str) -> dict[Step, int]:
    """How many days each step of a case of ``level`` has, as the site says."""
    rows = await (await cx.execute(_DAYS, (level,))).fetchall()
    return USUAL_DAYS | dict(rows)


def due(days: int, now: dt.datetime | None = None) -> dt.datetime:
    """The end of the day that is ``days`` after today, in China."""
    today = (now or dt.datetime.now(SHANGHAI)).astimezone(SHANGHAI).date()
    return dt.datetime.combine(today + dt.timedelta(days=days + 1), dt.time(), SHANGHAI)


async def step(cx: AsyncConnection) -> int:
    """Wake what slept long enough and escalate what is overdue; how many cases that were.

    ``cx`` as the session of `ACTOR`. Does nothing while another process does it.
    """
    row = await (await cx.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))).fetchone()
    if not (row and row[0]):
        return 0
    slept = await (await cx.execute(_SLEPT, (AT_ONCE,))).fetchall()
    for case_id, state, _, until in slept:
        await cx.execute(_WAKE, (case_id,))
        await _note(cx, case_id, state, "woken", {"until": until.isoformat()})
    passed = await (await cx.execute(_PASSED, (AT_ONCE,))).fetchall()
    for case_id, state, _, due_at in passed:
        raised = await (await cx.execute(_ESCALATE, (ESCALATION_MOST, case_id))).fetchone()
        level = raised[0] if raised else 0
        await _note(cx, case_id, state, "overdue", {"due_at": due_at.isoformat(), "escalation": level})
    return len(slept) + len(passed)


async def _note(
    cx: AsyncConnection, case_id: int, state: State, action: str, detail: dict[str, str | int]
) -> None:
    await trail.add(cx, case_id, trail.Told(action, state, state, detail=detail))


class Watch:
    """The process's eye on deadlines."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._token = ""
        self._token_ends = 0.0

    async def run(self) -> None:
        """Look every minute, until cancelled."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self.once()
            except (psycopg.Error, DatabaseUnavailableError) as error:
                log.info("deadlines wait: %s", error)
            except Exception:
                # Whatever one case brings about, the next minute has its look.
                log.exception("deadlines wait")

    async def once(self) -> None:
        """Do everything that is due now."""
        while await self._platform.database.write(step, token=await self._session(), repeatable=True):
            pass

    async def _session(self) -> str:
        """The process's own session, in every division."""
        now = asyncio.get_running_loop().time()
        if now > self._token_ends:
            token = sessions.new_token()
            session = sessions.arguments(token, ACTOR, (), SESSION_SECONDS)

            async def open_it(cx: AsyncConnection) -> None:
                await sessions.open_session(cx, session)

            await self._platform.door.write(open_it, token=None, repeatable=False)
            self._token, self._token_ends = token, now + SESSION_SECONDS / 2
        return self._token


@asynccontextmanager
async def running(platform: Platform) -> AsyncIterator[None]:
    """The process's watch, for as long as it serves."""
    task = asyncio.create_task(Watch(platform).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
