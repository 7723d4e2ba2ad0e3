"""What is new between two places of the stream, in pages, as the session may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from jincai.monitoring.alerts import alerts
from jincai.monitoring.alerts.alerts import Alert
from jincai.monitoring.alerts.feed import Feed

PAGE = 200
# Whoever was away for longer than this many alerts reads the list instead.
CATCH_UP_MOST = 2_000


class EndedError(Exception):
    """The session is over, or may no longer read."""


# One row if the session still may.
_NOW = """
SELECT pg_current_snapshot()::text
 WHERE NOT EXISTS (
           SELECT FROM auth.beyond(ARRAY[%s], ARRAY[NULL]::text[], ARRAY[NULL]::text[], 'monitor.read'))
"""
_NEW: LiteralString = """
  FROM monitor.alert
 WHERE NOT shadow
   AND made_in >= pg_snapshot_xmin(%(after)s::pg_snapshot)
   AND NOT pg_visible_in_snapshot(made_in, %(after)s::pg_snapshot)
   AND pg_visible_in_snapshot(made_in, %(until)s::pg_snapshot)
"""
# Transaction by transaction, as the index has them.
_ROWS: LiteralString = f"""
SELECT {alerts.COLUMNS}, made_in::text AS mark{_NEW}
   AND (made_in, id) > (%(made_in)s::xid8, %(id)s)
 ORDER BY made_in, id
 LIMIT %(limit)s
"""
_COUNT: LiteralString = f"SELECT count(*) FROM (SELECT 1{_NEW} LIMIT %(limit)s) AS t"  # noqa: S608 - as above


@dataclass(frozen=True)
class Reader:
    """Reads for one session."""

    feed: Feed
    token: str

    async def now(self) -> str:
        """The place of now.

        Raises:
            EndedError: the session is over.
            DatabaseUnavailableError: no primary answers.
        """

        async def ask(cx: AsyncConnection) -> str | None:
            row = await (await cx.execute(_NOW, (self.token,))).fetchone()
            return row[0] if row else None

        found = await self.feed.read(ask, self.token)
        if found is None:
            raise EndedError
        return found

    async def too_many(self, after: str, until: str) -> bool:
        """Whether there is more between two places than anybody wants one by one."""
        given = {"after": after, "until": until, "limit": CATCH_UP_MOST + 1}

        async def ask(cx: AsyncConnection) -> bool:
            row = await (await cx.execute(_COUNT, given)).fetchone()
            return bool(row and row[0] > CATCH_UP_MOST)

        return await self.feed.read(ask, self.token)

    async def between(self, after: str, until: str) -> AsyncIterator[list[Alert]]:
        """Every alert that ``after`` did not see and ``until`` does; a page is read when it is asked for."""
        # Where the last page ended. Changed only once a page is here: a read may run again.
        end = ("0", 0)

        async def ask(cx: AsyncConnection) -> tuple[list[Alert], tuple[str, int]]:
            given = {"after": after, "until": until, "made_in": end[0], "id": end[1], "limit": PAGE}
            async with cx.cursor(row_factory=dict_row) as cursor:
                rows = await (await cursor.execute(_ROWS, given)).fetchall()
            return await alerts.dressed(cx, rows), (rows[-1]["mark"], rows[-1]["id"]) if rows else end

        while True:
            page, end = await self.feed.read(ask, self.token)
            if page:
                yield page
            if len(page) < PAGE:
                return
