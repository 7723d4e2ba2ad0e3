"""Registers over HTTP: `/api/v1/payment/registers/own-accounts`, `…/contracts`, `…/unit-limits`."""

from typing import Annotated, Any, Literal, TypeVar, cast

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response
from jincai import spreadsheet
from jincai.auth.principal import Principal, may
from jincai.paging import BooksQuery, Page
from jincai.platform import DatabaseOf, Platform, PlatformOf
from jincai.standards.answers import FileProblem, not_taken
from jincai.standards.cells import Encoding
from jincai.standards.importing import MistakenError
from pydantic import BaseModel, ConfigDict

from jincai_payment import desk, desk_tables
from jincai_payment.desk import DeskError, Id
from jincai_payment.desk_api import AgencyCode, Reader
from jincai_payment.registers import file, keeping
from jincai_payment.registers.entry import (
    Contract,
    Day,
    Entry,
    Kept,
    KeptAccount,
    KeptContract,
    KeptLimit,
    OwnAccount,
    UnitLimit,
)
from jincai_payment.registers.keeping import Added
from jincai_payment.registers.register import CONTRACTS, OWN_ACCOUNTS, REGISTERS, UNIT_LIMITS, Register

router = APIRouter(prefix="/api/v1/payment/registers", tags=["payment"])

Registrar = Annotated[Principal, Depends(may("monitor.register"))]
RegisterName = Literal["own-accounts", "contracts", "unit-limits"]
AnyKept = KeptAccount | KeptContract | KeptLimit
K = TypeVar("K", bound=Kept)

_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", spreadsheet.XLSX)
        },
    }
}


class RegisterQuery(BooksQuery):
    """Which entries: of a division, that hold on some day of the year."""

    agency_code: AgencyCode | None = None


class ImportQuery(BaseModel):
    """How to read a CSV file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: Encoding = "utf-8"


class Closing(BaseModel):
    """The last day on which an entry holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid_to: Day


@router.get("/own-accounts")
async def list_own_accounts(
    asked: Annotated[RegisterQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[KeptAccount]:
    """账户备案: accounts that units hold themselves."""
    return await database.read(
        lambda cx: desk_tables.find(cx, KeptAccount, OWN_ACCOUNTS.listed, asked), token=principal.token
    )


@router.get("/contracts")
async def list_contracts(
    asked: Annotated[RegisterQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[KeptContract]:
    """基建合同: whom construction projects may pay."""
    return await database.read(
        lambda cx: desk_tables.find(cx, KeptContract, CONTRACTS.listed, asked), token=principal.token
    )


@router.get("/unit-limits")
async def list_unit_limits(
    asked: Annotated[RegisterQuery, Query()], database: DatabaseOf, principal: Reader
) -> Page[KeptLimit]:
    """单位限额: what units may pay at once, or draw in cash."""
    return await database.read(
        lambda cx: desk_tables.find(cx, KeptLimit, UNIT_LIMITS.listed, asked), token=principal.token
    )


@router.post("/own-accounts", status_code=201)
async def add_own_account(
    asked: OwnAccount, request: Request, platform: PlatformOf, principal: Registrar
) -> KeptAccount:
    """Enter an account; asked again, it is answered the same."""
    return await _add(request, platform, principal, OWN_ACCOUNTS, asked=asked, kind=KeptAccount)


@router.post("/contracts", status_code=201)
async def add_contract(
    asked: Contract, request: Request, platform: PlatformOf, principal: Registrar
) -> KeptContract:
    """Enter a contract; asked again, it is answered the same."""
    return await _add(request, platform, principal, CONTRACTS, asked=asked, kind=KeptContract)


@router.post("/unit-limits", status_code=201)
async def add_unit_limit(
    asked: UnitLimit, request: Request, platform: PlatformOf, principal: Registrar
) -> KeptLimit:
    """Enter a limit in fen; asked again, it is answered the same."""
    return await _add(request, platform, principal, UNIT_LIMITS, asked=asked, kind=KeptLimit)


@router.post(
    "/{name}/import",
    response_model=Added,
    responses={422: {"model": FileProblem}},
    openapi_extra=_FILES,
)
async def import_entries(
    request: Request,
    *,
    name: RegisterName,
    asked: Annotated[ImportQuery, Query()],
    platform: PlatformOf,
    principal: Registrar,
) -> Added | Response:
    """Add the entries of a CSV or XLSX file, sent as the body: all of them, or with any mistake none."""
    content = await request.body()
    try:
        return await file.bring(platform, principal, REGISTERS[name], content, asked.encoding)
    except MistakenError as error:
        return not_taken(request, error.mistakes)
    except DeskError as error:
        raise HTTPException(error.status, error.text(request)) from error


@router.get("/{name}/{number}")
async def read_entry(
    name: RegisterName, number: Id, request: Request, platform: PlatformOf, principal: Reader
) -> AnyKept:
    """One entry."""
    found = await desk.look(
        request, platform, principal, lambda cx: keeping.read(cx, REGISTERS[name], number)
    )
    return cast("AnyKept", found)


@router.post("/{name}/{number}/close")
async def close_entry(
    *,
    name: RegisterName,
    number: Id,
    asked: Closing,
    request: Request,
    platform: PlatformOf,
    principal: Registrar,
) -> AnyKept:
    """Close an entry by its last day; it is never changed otherwise."""
    closed = await desk.answer(
        request,
        platform,
        principal,
        lambda cx: keeping.close(cx, REGISTERS[name], number, asked.valid_to, principal.actor),
    )
    return cast("AnyKept", closed)


async def _add(
    request: Request,
    platform: Platform,
    principal: Principal,
    register: Register,
    *,
    asked: Entry,
    kind: type[K],
) -> K:
    kept = await desk.answer(
        request, platform, principal, lambda cx: keeping.add_one(cx, principal, register, asked)
    )
    return kind.model_validate(kept)
