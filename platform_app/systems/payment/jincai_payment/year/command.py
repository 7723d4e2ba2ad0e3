"""What `jincai replay --seed-year` shows: progress, then the reconciliation."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from jincai_payment.year import replay
from jincai_payment.year.generate import SeedYear


def run(url: str, owner_url: str, payments: int | None = None) -> bool:
    """Posts the seeded year (a small one of ``payments``, for a try); whether every fen agrees."""
    console = Console()
    # A smaller year keeps the mean payment of the real one.
    year = SeedYear() if payments is None else SeedYear(payments=payments, fen=payments * 54_173_516)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("posting", total=year.payments)
        done = replay.run(url, owner_url, year, lambda count: bar.update(task, completed=count))
    console.print(_table(done))
    agrees = all(line.agrees for line in done.lines)
    total = sum(line.paid for line in done.lines)
    console.print(
        f"{done.posted:,} posted, {done.again:,} there already, {done.refused:,} refused "
        f"in {done.seconds:.1f} s; {len(done.lines)} divisions and items, {total / 100:,.2f} yuan: payments, "
        f"both sides of the ledger and the use of quotas {'agree to the fen' if agrees else 'DIFFER'}",
        soft_wrap=True,
        highlight=False,
    )
    console.print("Orders that rules forbid before payment are left out: no rules are loaded yet.")
    return agrees


def _table(done: replay.Replayed) -> Table:
    table = Table("division", "payments", "yuan", "ledger", "quota used", "", title="by division")
    for column in table.columns[1:5]:
        column.justify = "right"
    for division in sorted({line.division for line in done.lines}):
        lines = [line for line in done.lines if line.division == division]
        sums = [sum(getattr(line, name) for line in lines) for name in ("paid", "debited", "quota_used")]
        agrees = all(line.agrees for line in lines)
        number = sum(line.number for line in lines)
        table.add_row(
            division, f"{number:,}", *(f"{fen / 100:,.2f}" for fen in sums), "=" if agrees else "DIFFERS"
        )
    return table
