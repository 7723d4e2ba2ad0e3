"""Accounts as the desk lists them."""

import datetime as dt
from typing import Annotated, Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.paging import Page, PageQuery

_ROWS = """
SELECT a.login, a.name, a.oidc_subject AS subject, a.state, a.password_once_until AS once_until,
       seen.at AS last_login, held.roles, held.divisions, held.agencies
  FROM (SELECT *,
               CASE WHEN NOT active THEN 'locked'
                    WHEN locked_until > statement_timestamp() THEN 'shut_out'
                    ELSE 'active' END AS state
          FROM auth.account) AS a
  CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(DISTINCT g.role), '{}') AS roles,
              coalesce(array_agg(DISTINCT coalesce(g.division, '*')), '{}') AS divisions,
              coalesce(array_agg(DISTINCT g.agency_code) FILTER (WHERE g.agency_code <> ''), '{}') AS agencies
         FROM auth.role_grant AS g
        WHERE g.account_id = a.id) AS held
  LEFT JOIN LATERAL (
       SELECT c.at FROM auth.change AS c
        WHERE c.account = a.login AND c.kind = 'login' ORDER BY c.at DESC LIMIT 1) AS seen ON true
 WHERE (%(login)s::text IS NULL OR a.login = %(login)s)
   AND (%(q)s::text IS NULL OR strpos(a.login, %(q)s) > 0 OR strpos(a.name, %(q)s) > 0)
   AND (%(state)s::text IS NULL OR a.state = %(state)s)
 ORDER BY a.login
 LIMIT %(limit)s OFFSET %(offset)s
"""
_COUNT = """
SELECT count(*)
  FROM auth.account AS a
 WHERE (%(q)s::text IS NULL OR strpos(a.login, %(q)s) > 0 OR strpos(a.name, %(q)s) > 0)
   AND (%(state)s::text IS NULL
        OR %(state)s = CASE WHEN NOT active THEN 'locked'
                            WHEN locked_until > statement_timestamp() THEN 'shut_out'
                            ELSE 'active' END)
"""

State = Literal["active", "locked", "shut_out"]


class AccountQuery(PageQuery):
    """Which accounts: ``q`` is part of the log-in or the name."""

    q: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    state: State | None = None


class AccountRow(BaseModel):
    """One account.

    ``shut_out``: locked for some minutes after failures. ``divisions`` holds ``*`` for all; ``agencies``
    nothing for every unit. ``once_until``: a one-time password waits to be used until then.
    """

    model_config = ConfigDict(frozen=True)

    login: str
    name: str
    state: State
    roles: list[str]
    divisions: list[str]
    agencies: list[str]
    subject: str | None
    once_until: dt.datetime | None
    last_login: dt.datetime | None


async def find(cx: AsyncConnection, asked: AccountQuery) -> Page[AccountRow]:
    """The accounts ``asked`` for, by log-in name; ``cx`` here and below as the log-in role."""
    async with cx.cursor(row_factory=class_row(AccountRow)) as cursor:
        items = await (await cursor.execute(_ROWS, {**asked.model_dump(), "login": None})).fetchall()
    counted = await (await cx.execute(_COUNT, asked.model_dump())).fetchone()
    return Page(items=items, total=counted[0] if counted else 0, limit=asked.limit, offset=asked.offset)


async def get(cx: AsyncConnection, login: str) -> AccountRow | None:
    """The account called ``login``, if there is one."""
    asked = {"login": login, "q": None, "state": None, "limit": 1, "offset": 0}
    async with cx.cursor(row_factory=class_row(AccountRow)) as cursor:
        return await (await cursor.execute(_ROWS, asked)).fetchone()
