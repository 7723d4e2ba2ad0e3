"""The plug: what the platform is told about this system."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jincai.system import Companion, Grant, MenuEntry, System

from jincai_payment import __version__
from jincai_payment.documents import DOCUMENTS
from jincai_payment.freeze import FREEZER
from jincai_payment.monitored import PAYMENTS
from jincai_payment.pace import PACE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import APIRouter
    from jincai.platform import Platform

_HERE = Path(__file__).parent


def _router() -> "APIRouter":
    from jincai_payment import routes  # noqa: PLC0415 - `jincai migrate` needs no web framework

    return routes.router()


@asynccontextmanager
async def _running(platform: "Platform") -> "AsyncIterator[None]":
    from jincai_payment import gather  # noqa: PLC0415 - as above
    from jincai_payment.fund_query import index  # noqa: PLC0415 - as above

    async with gather.running(platform), index.running(platform):
        yield


def _replay(url: str, owner_url: str, payments: int | None, rules_only: bool) -> bool:
    from jincai_payment.year import command  # noqa: PLC0415 - only who replays needs it

    return command.run(url, owner_url, payments, rules_only)


SYSTEM = System(
    code="payment",
    dist="jincai-payment",
    name="国库集中支付管理",
    name_en="Treasury centralised payment",
    version=__version__,
    platform=">=1.0,<2",
    migrations=_HERE / "migrations",
    grants=(
        Grant(table="payment.freeze", privileges=("SELECT",)),
        Grant(table="payment.unit", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.quota", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.payment", privileges=("SELECT", "INSERT")),
        Grant(table="payment.refusal", privileges=("SELECT", "INSERT")),
        Grant(table="payment.payment_id", privileges=("USAGE",)),
        Grant(table="payment.clearing", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.bank_order", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.bank_refund", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
        Grant(table="payment.bank_discrepancy", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.plan", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.application", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.application_step", privileges=("SELECT", "INSERT")),
        Grant(table="payment.held", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.own_account", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.contract", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="payment.unit_limit", privileges=("SELECT", "INSERT", "UPDATE")),
        # payment.search itself is read and written by its functions alone.
        Grant(table="payment.search_cursor", privileges=("SELECT",)),
        Grant(table="payment.saved_query", privileges=("SELECT", "INSERT", "UPDATE", "DELETE")),
    ),
    router=_router,
    running=_running,
    freezer=FREEZER,
    replay=_replay,
    menu=(
        MenuEntry(title="待办", title_en="Inbox", path="/payment/inbox"),
        MenuEntry(title="用款计划", title_en="Plans", path="/payment/plans"),
        MenuEntry(title="额度", title_en="Quotas", path="/payment/quotas"),
        MenuEntry(title="支付申请", title_en="Applications", path="/payment/applications"),
        MenuEntry(title="支付凭证", title_en="Payments", path="/payment/payments"),
        MenuEntry(title="银行指令", title_en="Bank", path="/payment/bank"),
        MenuEntry(title="拦截", title_en="Held", path="/payment/held"),
        MenuEntry(title="资金查询", title_en="Fund query", path="/payment/search"),
        MenuEntry(title="登记簿", title_en="Registers", path="/payment/registers"),
        MenuEntry(title="清算", title_en="Clearing", path="/payment/clearing"),
    ),
    templates=_HERE / "templates",
    monitored=(PAYMENTS, PACE),
    rules=_HERE / "rules",
    consumes=("indicator", "payment_order"),
    publishes=("quota", "payment"),
    documents=DOCUMENTS,
    elements=("division",),
    demonstration=_HERE / "demonstration.sql",
    companion=Companion(
        name="demo-bank",
        permissions=("payment.bank",),
        module="jincai_payment.bank.simulator",
        # The examples are of 2016: a bank by itself looks back a month only.
        arguments=(
            *("--url", "{url}", "--pay-from", "2016-01-01", "--delay", "3"),
            *("--repeat", "0.2", "--shuffle"),
        ),
        key_variable="JINCAI_BANK_KEY",
    ),
)
