"""The REST socket: `/api/v1/socket/…`, the contract that outside systems speak (docs/socket.md)."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from jincai import language
from jincai.auth.principal import Principal, PrincipalOf, may, require
from jincai.platform import Platform, PlatformOf
from jincai.socket import admit, kinds, pull, push
from jincai.socket.document import Document, Push
from jincai.socket.kinds import Kinds
from jincai.socket.pull import Pulled, PullQuery
from jincai.socket.push import Kept, KeyUsedError, Pushed, Received

router = APIRouter(prefix="/api/v1/socket", tags=["socket"])

_Pusher = Annotated[Principal, Depends(may("socket.push"))]
_Puller = Annotated[Principal, Depends(may("socket.pull"))]


@router.get("/kinds")
async def list_kinds(request: Request, platform: PlatformOf, principal: PrincipalOf) -> Kinds:
    """What may be pushed and pulled here, with the JSON Schema of each."""
    if not principal.permissions & {"socket.push", "socket.pull"}:
        require(request, principal, "socket.pull")
    return kinds.described(platform.systems)


@router.get("/documents")
async def pull_documents(
    request: Request, asked: Annotated[PullQuery, Query()], platform: PlatformOf, principal: _Puller
) -> Pulled:
    """Documents of one kind, division and year, by id, from the cursor ``after`` on."""
    document = _known(request, platform, asked.kind)
    if document.pull is None:
        raise HTTPException(404, _not_offered(request, asked.kind, "GET"))
    require(request, principal, document.pull.permission)
    found = document.pull
    return await platform.database.read(
        lambda cx: pull.page(cx, document, found, asked), token=principal.token
    )


@router.post("/documents")
async def push_documents(
    request: Request,
    asked: Pushed,
    platform: PlatformOf,
    principal: _Pusher,
    check: Annotated[bool, Query(description="Only say what is wrong; nothing is done.")] = False,
) -> Received:
    """Up to 1,000 documents, admitted all or none; again under the same key they are answered the same."""
    document = _known(request, platform, asked.kind)
    if document.push is None:
        raise HTTPException(404, _not_offered(request, asked.kind, "POST"))
    require(request, principal, document.push.permission)
    if principal.divisions is not None and asked.division not in principal.divisions:
        raise HTTPException(403, _beyond(request, asked.division))
    kept = Kept(asked, principal)
    try:
        if before := await push.kept_answer(platform, kept):
            return before
        documents = await _admitted(request, asked, platform, document, document.push)
        if check:
            said = asked.model_dump(exclude={"documents"})
            return Received(**said, received=len(documents), results=[])
        return await push.carry_out(platform, kept, document.push, documents)
    except KeyUsedError:
        raise HTTPException(409, _key_used(request, asked.idempotency_key)) from None


async def _admitted(
    request: Request, asked: Pushed, platform: Platform, document: Document, taken: Push
) -> list[BaseModel]:
    lang = language.of(request)
    documents, mistakes = admit.read(
        document.model(), asked.documents, (asked.fiscal_year, asked.division), lang
    )
    mistakes += await platform.database.read(
        lambda cx: admit.unknown_codes(cx, taken, documents, asked.fiscal_year, lang)
    )
    if mistakes:
        raise RequestValidationError(sorted(mistakes, key=lambda one: int(one["loc"][2])))
    return list(documents.values())


def _known(request: Request, platform: Platform, kind: str) -> Document:
    document = kinds.find(platform.systems, kind)
    if document is None:
        raise HTTPException(404, _not_offered(request, kind, "GET/POST"))
    return document


def _not_offered(request: Request, kind: str, method: str) -> str:
    if language.of(request) == "zh":
        return f"不提供 {kind} 类单据的 {method};可用类别见 /api/v1/socket/kinds。"
    return f"{method} of documents of kind {kind} is not offered; see /api/v1/socket/kinds."


def _beyond(request: Request, division: str) -> str:
    if language.of(request) == "zh":
        return f"您的权限不包括区划 {division}。"
    return f"Your permissions do not reach division {division}."


def _key_used(request: Request, key: str) -> str:
    if language.of(request) == "zh":
        return f"幂等键 {key} 已用于其他内容;请换一个键。"
    return f"The idempotency key {key} was used for other content; choose another."
