"""The audit trail (审计日志): who logged in, who changed what about accounts; never changed."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, LiteralString

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from jincai.identity import SHANGHAI
from jincai.paging import PAGE_MOST

# Code → Chinese and English.
KINDS: dict[str, tuple[str, str]] = {
    "login": ("登录", "Logged in"),
    "logout": ("退出", "Logged out"),
    "failed": ("登录失败", "Log-in failed"),
    "shut_out": ("失败过多而锁定", "Locked after failures"),
    "unknown": ("不存在或已锁定的账户尝试登录", "Try at a log-in that is not or is locked"),
    "refused": ("拒绝登录", "Log-in refused"),
    "account_added": ("新增账户", "Account added"),
    "account_locked": ("锁定账户", "Account locked"),
    "account_unlocked": ("解锁账户", "Account unlocked"),
    "password_set": ("设置口令", "Password set"),
    "password_changed": ("本人修改口令", "Own password changed"),
    "subject_set": ("设置单点登录标识", "Single sign-on subject set"),
    "key_added": ("新增接口密钥", "Key added"),
    "key_revoked": ("撤销接口密钥", "Key revoked"),
}
# The same for what a detail is called, and for its coded values.
DETAILS: dict[str, tuple[str, str]] = {
    "by": ("方式", "By"),
    "reason": ("原因", "Reason"),
    "name": ("姓名", "Name"),
    "roles": ("角色", "Roles"),
    "divisions": ("区划", "Divisions"),
    "agencies": ("单位", "Units"),
    "permissions": ("权限", "Permissions"),
    "days": ("天数", "Days"),
    "subject": ("单点登录标识", "Subject"),
    "once": ("一次性", "One-time"),
}
VALUES: dict[str, tuple[str, str]] = {
    "password": ("密码", "password"),
    "oidc": ("单点登录", "single sign-on"),
}
NOBODY = "-"

NOTE = """
INSERT INTO auth.change (actor, kind, account, why, detail)
VALUES (%(actor)s, %(kind)s, %(account)s, %(why)s, %(detail)s)
"""
# However many try names that nobody has, one row a minute tells of it.
_NOTE_UNKNOWN = """
INSERT INTO auth.change (actor, kind, detail)
SELECT %(actor)s, %(kind)s, %(detail)s
 WHERE NOT EXISTS (
           SELECT FROM auth.change
            WHERE account IS NULL AND kind = %(kind)s AND at > clock_timestamp() - interval '1 minute'
       )
"""
_FIND = """
SELECT id, at, actor, kind, account, why, detail
  FROM auth.change
 WHERE {conditions}
 ORDER BY at DESC, id DESC
 LIMIT %(limit)s + 1
"""
# Only what is asked stands in the statement, so that its plan takes the index that is there for it.
_CONDITIONS: dict[str, LiteralString] = {
    "actor": "actor = %(actor)s",
    "account": "account = %(account)s",
    "kind": "kind = %(kind)s",
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
    "before": "(at, id) < (SELECT at, id FROM auth.change WHERE id = %(before)s)",
}

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Day = Annotated[dt.date, Field(ge=dt.date(1949, 10, 1), le=dt.date(9998, 12, 31))]


class Entry(BaseModel):
    """One row: ``actor`` did ``kind`` to ``account``, for the reason ``why``."""

    model_config = ConfigDict(frozen=True)

    id: int
    at: dt.datetime
    actor: str
    kind: str
    account: str | None
    why: str
    detail: dict[str, Any]


class TrailQuery(BaseModel):
    """Which entries: of an actor, about an account, in a period (days in China, both included).

    Newest first; ``before`` is the id that the part before this one ended with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    actor: _Text | None = None
    account: _Text | None = None
    kind: str | None = Field(default=None, pattern=rf"^({'|'.join(KINDS)})$")
    from_date: _Day | None = None
    to_date: _Day | None = None
    before: int | None = Field(default=None, ge=1, le=2**63 - 1)
    limit: int = Field(default=50, ge=1, le=PAGE_MOST)


class Trail(BaseModel):
    """A part of the trail; ``before`` asks for the next part, null at the end."""

    model_config = ConfigDict(frozen=True)

    items: list[Entry]
    before: int | None


def values(
    actor: str, kind: str, account: str | None, why: str = "", detail: Mapping[str, object] | None = None
) -> dict[str, object]:
    """What `NOTE` needs."""
    return {"actor": actor, "kind": kind, "account": account, "why": why, "detail": Jsonb(dict(detail or {}))}


async def note_stranger(cx: AsyncConnection, kind: str, detail: Mapping[str, object] | None = None) -> None:
    """A try by who has no account, unless this minute has one already; what was typed is not kept."""
    await cx.execute(_NOTE_UNKNOWN, values(NOBODY, kind, None, detail=detail))


async def find(cx: AsyncConnection, asked: TrailQuery) -> Trail:
    """The entries ``asked`` for; ``cx`` as the log-in role, the application's cannot read them."""
    arguments: dict[str, object] = asked.model_dump(exclude={"from_date", "to_date"})
    arguments["since"] = _midnight(asked.from_date)
    arguments["until"] = _midnight(asked.to_date and asked.to_date + dt.timedelta(days=1))
    asked_for = [sql.SQL(text) for name, text in _CONDITIONS.items() if arguments[name] is not None]
    statement = sql.SQL(_FIND).format(conditions=sql.SQL(" AND ").join([sql.SQL("true"), *asked_for]))
    async with cx.cursor(row_factory=class_row(Entry)) as cursor:
        found = await (await cursor.execute(statement, arguments)).fetchall()
    items = found[: asked.limit]
    return Trail(items=items, before=items[-1].id if len(found) > asked.limit else None)


def _midnight(day: dt.date | None) -> dt.datetime | None:
    return None if day is None else dt.datetime.combine(day, dt.time(), SHANGHAI)
