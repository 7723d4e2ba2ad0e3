"""Pushing: up to 1,000 documents of one kind, division and year, all of them or none."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import HTTPException
from psycopg import AsyncConnection
from psycopg.types.json import Json
from pydantic import BaseModel, ConfigDict, Field

from jincai.auth.principal import Principal
from jincai.paging import DivisionCode, Year
from jincai.platform import Platform
from jincai.socket.document import Push
from jincai.socket.pull import KIND

DOCUMENTS_MOST = 1000

_CLAIM = """
INSERT INTO hub.socket_push
       (pushed_by, idempotency_key, kind, fiscal_year, division, documents, digest)
VALUES (%(pushed_by)s, %(idempotency_key)s, %(kind)s, %(fiscal_year)s, %(division)s, %(documents)s,
        %(digest)s)
    ON CONFLICT (pushed_by, idempotency_key) DO NOTHING
"""
_KEPT = """
SELECT digest, answer FROM hub.socket_push
 WHERE pushed_by = %(pushed_by)s AND idempotency_key = %(idempotency_key)s
"""
_ANSWER = """
UPDATE hub.socket_push
   SET answer = %(answer)s, answered_at = clock_timestamp()
 WHERE pushed_by = %(pushed_by)s AND idempotency_key = %(idempotency_key)s AND answer IS NULL
"""
_TAKE_BACK = """
DELETE FROM hub.socket_push
 WHERE pushed_by = %(pushed_by)s AND idempotency_key = %(idempotency_key)s AND digest = %(digest)s
   AND answer IS NULL
"""


class Pushed(BaseModel):
    """What is pushed: documents of one kind, in one division and year, under the pusher's own key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=KIND)
    fiscal_year: Year
    division: DivisionCode
    idempotency_key: str = Field(min_length=8, max_length=64, pattern=r"^[\x21-\x7e]+$")
    documents: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=DOCUMENTS_MOST)]


class Received(BaseModel):
    """The answer: one result for each document, in their order; with ``check`` there are none."""

    model_config = ConfigDict(frozen=True)

    kind: str
    fiscal_year: int
    division: str
    idempotency_key: str
    received: int
    results: list[dict[str, Any]]


class KeyUsedError(Exception):
    """The pusher used this key for other content, or where it may no longer look."""


@dataclass(frozen=True)
class Kept:
    """One push as the database keeps it: by whom, and the digest of everything that it says."""

    pushed: Pushed
    principal: Principal

    @property
    def row(self) -> dict[str, Any]:
        """The columns of ``hub.socket_push``."""
        said = json.dumps(self.pushed.model_dump(mode="json"), sort_keys=True, ensure_ascii=True).encode()
        return self.pushed.model_dump(exclude={"documents"}) | {
            "pushed_by": self.principal.actor,
            "documents": len(self.pushed.documents),
            "digest": hashlib.sha256(said).digest(),
        }


async def kept_answer(platform: Platform, kept: Kept) -> Received | None:
    """The answer given before to the same push.

    Raises:
        KeyUsedError: the key was used for another.
    """
    row = kept.row
    found = await platform.database.read(lambda cx: _kept(cx, row), token=kept.principal.token)
    return found and found[0]


async def carry_out(platform: Platform, kept: Kept, push: Push, documents: list[BaseModel]) -> Received:
    """Claim the key, hand the documents over, keep the answer; killed in between, the same push goes on.

    Raises:
        KeyUsedError: the key was used for another push meanwhile.
        HTTPException: 4xx, they were refused as a whole and the key is free again.
    """
    row, token, database = kept.row, kept.principal.token, platform.database

    async def claim(cx: AsyncConnection) -> Received | None:
        await cx.execute(_CLAIM, row)
        found = await _kept(cx, row)
        if found is None:  # the key's row is in a division that the pusher no longer sees
            raise KeyUsedError
        return found[0]

    if before := await database.write(claim, token=token, repeatable=True):
        return before
    try:
        results = await push.receive(platform, kept.principal, documents)
    except HTTPException as error:
        if error.status_code < 500:
            await database.write(lambda cx: cx.execute(_TAKE_BACK, row), token=token, repeatable=True)
        raise
    answer = Received(
        **kept.pushed.model_dump(exclude={"documents"}),
        received=len(documents),
        results=[one.model_dump(mode="json") for one in results],
    )

    async def keep(cx: AsyncConnection) -> Received:
        # Two may have carried out the same push side by side: the first answer kept is everybody's.
        await cx.execute(_ANSWER, row | {"answer": Json(answer.model_dump(mode="json"))})
        found = await _kept(cx, row)
        return (found and found[0]) or answer

    return await database.write(keep, token=token, repeatable=True)


async def _kept(cx: AsyncConnection, row: dict[str, Any]) -> tuple[Received | None] | None:
    """None: the key was not used; else its answer, if there is one already."""
    found = await (await cx.execute(_KEPT, row)).fetchone()
    if found is None:
        return None
    digest, answer = found
    if bytes(digest) != row["digest"]:
        raise KeyUsedError
    return (None if answer is None else Received.model_validate(answer),)
