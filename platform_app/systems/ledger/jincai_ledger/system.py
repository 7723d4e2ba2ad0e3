"""The plug: what the platform is told about this system."""

from pathlib import Path
from typing import TYPE_CHECKING

from jincai.system import Grant, MenuEntry, System

from jincai_ledger import __version__, seed
from jincai_ledger.documents import DOCUMENTS

if TYPE_CHECKING:
    from fastapi import APIRouter

_HERE = Path(__file__).parent


def _router() -> "APIRouter":
    from jincai_ledger import routes  # noqa: PLC0415 - `jincai migrate` needs no web framework

    return routes.router()


SYSTEM = System(
    code="ledger",
    dist="jincai-ledger",
    name="总会计核算",
    name_en="General ledger",
    version=__version__,
    platform=">=1.0,<2",
    migrations=_HERE / "migrations",
    grants=(
        Grant(table="ledger.posting_rule", privileges=("SELECT",)),
        Grant(table="ledger.period", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="ledger.voucher", privileges=("SELECT", "INSERT")),
        Grant(table="ledger.voucher_line", privileges=("SELECT", "INSERT")),
        Grant(table="ledger.balance", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="ledger.voucher_id", privileges=("USAGE",)),
        Grant(table="ledger.voucher_draft", privileges=("SELECT", "INSERT", "UPDATE")),
        Grant(table="ledger.voucher_draft_line", privileges=("SELECT", "INSERT", "DELETE")),
        Grant(table="ledger.closing_rule", privileges=("SELECT",)),
    ),
    router=_router,
    menu=(
        MenuEntry(title="凭证", title_en="Vouchers", path="/ledger/vouchers"),
        MenuEntry(title="待记账", title_en="Drafts", path="/ledger/drafts"),
        MenuEntry(title="试算平衡", title_en="Trial balance", path="/ledger/trial-balance"),
        MenuEntry(title="资产负债", title_en="Balance sheet", path="/ledger/balance-sheet"),
        MenuEntry(title="收入支出", title_en="Statement", path="/ledger/statement"),
        MenuEntry(title="结账", title_en="Closing", path="/ledger/periods"),
    ),
    templates=_HERE / "templates",
    consumes=("payment_order",),
    publishes=("voucher",),
    documents=DOCUMENTS,
    elements=("division", "account", "exp_func"),
    seed=seed.load,
    demonstration=_HERE / "demonstration.sql",
)
