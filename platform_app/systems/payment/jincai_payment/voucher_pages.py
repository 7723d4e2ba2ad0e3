"""The page of one payment: 支付凭证."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jincai.identity import SHANGHAI
from jincai.pages import rendering
from jincai.platform import PlatformOf

from jincai_payment import desk, voucher
from jincai_payment.desk import Id
from jincai_payment.desk_api import Reader
from jincai_payment.words import BANK_STATES, KINDS, PAY_TYPES

router = APIRouter(prefix="/payment", include_in_schema=False)


@router.get("/payments/{payment_id}")
async def voucher_page(payment_id: Id, request: Request, platform: PlatformOf, principal: Reader) -> Response:
    """One payment with everything it hangs together with."""
    found = await desk.look(request, platform, principal, lambda cx: voucher.read(cx, payment_id))
    may_undo = found.kind == "payment" and found.left > 0 and "payment.submit" in principal.permissions
    context = {
        "one": found,
        "kinds": KINDS,
        "pay_types": PAY_TYPES,
        "bank_states": BANK_STATES,
        "zone": SHANGHAI,
        "may_undo": may_undo,
    }
    return rendering.page(request, platform, "payment/voucher.html", context)
