"""Orders beside the tables they are held against, for the statements that judge and write them."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from jincai_payment.order import Order
from jincai_payment.posting.ground import Batch, Ground

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS posting (
    n integer, key text, fiscal_year smallint, division text, agency_code text, unit_id integer,
    quota_id bigint, kind text, undoes bigint, amount bigint, pay_date date,
    payee_name text, payee_account text, payee_bank text, payee_kind_code text, set_mode_code text,
    purpose text, digest bigint, posted_by text
) ON COMMIT DELETE ROWS;
DELETE FROM pg_temp.posting
"""
_COPY = "COPY pg_temp.posting FROM STDIN"


async def stage(cx: AsyncConnection, ground: Ground, batch: Batch, places: Sequence[int]) -> None:
    """Put the orders at ``places`` there, in place of what an earlier call of this transaction left."""
    await cx.execute(_STAGE.encode(), prepare=False)
    async with cx.cursor() as cursor, cursor.copy(_COPY) as copy:
        for n in places:
            await copy.write_row(_row(ground, n, batch.orders[n], batch.digests[n]))


def _row(ground: Ground, n: int, order: Order, digest: int) -> tuple[object, ...]:
    """As `_STAGE` names its columns."""
    return (
        n,
        order.idempotency_key,
        order.fiscal_year,
        order.division,
        order.agency_code,
        ground.units[order.division, order.agency_code].id,
        order.quota_id,
        order.kind,
        order.undoes,
        order.amount,
        order.pay_date,
        order.payee_name,
        order.payee_account,
        order.payee_bank,
        order.payee_kind_code,
        order.set_mode_code,
        order.purpose,
        digest,
        order.posted_by,
    )
