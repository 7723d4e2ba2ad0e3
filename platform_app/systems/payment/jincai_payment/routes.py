"""Everything this system answers."""

from fastapi import APIRouter

from jincai_payment import (
    api,
    application_api,
    application_form_pages,
    application_pages,
    desk_api,
    held_api,
    held_pages,
    inbox_pages,
    pages,
    plan_pages,
    voucher_pages,
)
from jincai_payment.bank import api as bank_api
from jincai_payment.bank import clearing_api, clearing_pages
from jincai_payment.bank import pages as bank_pages
from jincai_payment.fund_query import api as fund_query_api
from jincai_payment.fund_query import pages as fund_query_pages
from jincai_payment.registers import api as register_api
from jincai_payment.registers import pages as register_pages


def router() -> APIRouter:
    """The API under `/api/v1/payment` and the pages under `/payment`."""
    joined = APIRouter()
    # Before what a number may stand for: /new is none.
    written = (application_form_pages, application_pages)
    desk = (api, desk_api, application_api, pages, plan_pages, *written, inbox_pages, voucher_pages)
    bank = (bank_api, clearing_api, bank_pages, clearing_pages)
    monitoring = (held_api, held_pages, fund_query_api, fund_query_pages)
    registers = (register_api, register_pages)
    for part in (*desk, *bank, *monitoring, *registers):
        joined.include_router(part.router)
    return joined
