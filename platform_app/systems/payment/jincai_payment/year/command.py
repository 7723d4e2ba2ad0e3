"""What `jincai replay --seed-year` shows: progress, the reconciliation, and what the rules made of it."""

import psycopg
from jincai.auth import sessions
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from jincai_payment.year import labels, measure, oracle, replay
from jincai_payment.year.generate import SeedYear

# A smaller year keeps the mean payment of the real one, and has labels closer together.
MEAN = 54_173_516
GROUPS, CLOSEST = 200, 40


def run(url: str, owner_url: str, payments: int | None = None, rules_only: bool = False) -> bool:
    """Posts the seeded year (a small one of ``payments``, for a try); whether every fen and alert agrees.

    ``rules_only``: the year is there; nothing is posted, only alerts are looked at.
    """
    console = Console()
    year = SeedYear() if payments is None else _small(payments)
    agrees = rules_only or _post(console, url, owner_url, year)
    return _measure(console, url, owner_url, year) and agrees


def _small(payments: int) -> SeedYear:
    every = max(CLOSEST, min(labels.EVERY, payments // GROUPS))
    return SeedYear(payments=payments, fen=payments * MEAN, every=every)


def _post(console: Console, url: str, owner_url: str, year: SeedYear) -> bool:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("posting", total=year.orders_in_all)
        done = replay.run(url, owner_url, year, lambda count: bar.update(task, completed=count))
    console.print(_books(done))
    agrees = all(line.agrees for line in done.lines)
    total = sum(line.paid for line in done.lines)
    posted, again, held, forbidden, refused = done.counts
    console.print(
        f"{posted:,} posted, {again:,} decided already, {held:,} held, {forbidden:,} forbidden, "
        f"{refused:,} refused in {done.seconds:.1f} s; {len(done.lines)} divisions and items, "
        f"{total / 100:,.2f} yuan: payments, both sides of the ledger and the use of quotas "
        f"{'agree to the fen' if agrees else 'DIFFER'}",
        soft_wrap=True,
        highlight=False,
    )
    return agrees


def _measure(console: Console, url: str, owner_url: str, year: SeedYear) -> bool:
    expected = oracle.run(year)
    with psycopg.connect(owner_url) as cx:
        token = sessions.open_for_process(cx, "jincai replay", (), 3600)
    with psycopg.connect(url) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        done = measure.measure(cx, year, expected)
    console.print(_rules(done))
    for (want, got), number in sorted(done.decisions.items()):
        console.print(f"{number:,} orders to be {want} were {got}", highlight=False)
    if done.unjudged:
        console.print(f"{done.unjudged:,} payments wait to be judged: rules took too long; sweep them")
    if done.edition == 0:
        console.print("no rules are in force")
    console.print(
        "alerts are just what the rules define" if done.exact else "alerts DIFFER from what the rules define"
    )
    return done.exact


def _books(done: replay.Replayed) -> Table:
    table = _table("by division", "division", "payments", "yuan", "ledger", "quota used", "")
    for division in sorted({line.division for line in done.lines}):
        lines = [line for line in done.lines if line.division == division]
        sums = [sum(getattr(line, name) for line in lines) for name in ("paid", "debited", "quota_used")]
        agrees = all(line.agrees for line in lines)
        number = sum(line.number for line in lines)
        table.add_row(
            division, f"{number:,}", *(f"{fen / 100:,.2f}" for fen in sums), "=" if agrees else "DIFFERS"
        )
    return table


def _rules(done: measure.Measured) -> Table:
    table = _table(
        "orders made to break a rule, and orders flagged by it",
        *("rule", "made", "found", "missed", "recall"),
        *("flagged", "others", "beyond", "silent", "precision"),
    )
    table.caption = (
        "others: by definition · beyond: not by definition · silent: not flagged, though by definition"
    )
    for line in done.lines:
        made = (line.labelled, line.found, line.labelled - line.found)
        flagged = (
            line.flagged,
            line.right - line.found,
            line.flagged - line.right,
            line.expected - line.right,
        )
        table.add_row(
            line.rule,
            *(f"{number:,}" for number in made),
            f"{line.recall:.1%}",
            *(f"{number:,}" for number in flagged),
            f"{line.precision:.1%}",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    """A table of numbers after its first column."""
    table = Table(*columns, title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    return table
