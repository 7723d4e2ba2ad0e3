"""The plug: what the platform is told about this system."""

from pathlib import Path
from typing import TYPE_CHECKING

from jincai.system import Grant, MenuEntry, System

from jincai_payment import __version__

if TYPE_CHECKING:
    from fastapi import APIRouter

_HERE = Path(__file__).parent


def _router() -> "APIRouter":
    from jincai_payment import routes  # noqa: PLC0415 - `jincai migrate` needs no web framework

    return routes.router()


SYSTEM = System(
    code="payment",
    dist="jincai-payment",
    name="国库集中支付管理",
    name_en="Treasury centralised payment",
    version=__version__,
    platform=">=1.0,<2",
    migrations=_HERE / "migrations",
    grants=(Grant(table="payment.payment_order", privileges=("SELECT",)),),
    router=_router,
    menu=(MenuEntry(title="支付令", title_en="Payment orders", path="/payment/orders"),),
    consumes=("indicator",),
    publishes=("payment_order",),
    elements=("division",),
    demonstration=_HERE / "demonstration.sql",
)
