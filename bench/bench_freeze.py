"""What asking whether payments are frozen costs: so much for a batch, whatever its size.

A batch asks twice: `post` together with the units' locks, and the table when it is written to. Both are timed
as they happen, once in each transaction, against transactions that ask for nothing; sides take turns, and the
median counts. The server is the embedded PostgreSQL.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
from jincai import embedded, migrate, plugins
from report import keep
from rich.console import Console

MUST_MICROSECONDS = 1.0
# What the gatherer puts together under load (bench_http), and a batch of the seed year.
SIZES = (1, 16, 1000)
TRANSACTIONS = 3000
_LOOP = "DO $$ BEGIN FOR i IN 1..{n} LOOP {asked} COMMIT; END LOOP; END $$"
# The second one finds the lock held, as the table's guard does.
_ASKED = "PERFORM payment.frozen(); PERFORM payment.frozen();"
_NOTHING = "PERFORM 1; PERFORM 1;"


def microseconds(cx: psycopg.Connection, asked: str) -> float:
    """Of one transaction."""
    statement = _LOOP.format(n=TRANSACTIONS, asked=asked).encode()
    begun = time.perf_counter()
    cx.execute(statement)
    return 1e6 * (time.perf_counter() - begun) / TRANSACTIONS


def main() -> int:
    """Prints and keeps the figures; 1 when it costs a payment of a usual batch more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=21)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory(prefix="jincai-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        server = embedded.Server(embedded.find_binaries(), Path(folder), {})
        server.start()
        try:
            embedded.prepare(server, "jincai_app", "jincai_auth")
            migrate.run(server.url(user=embedded.OWNER), plugins.load(), "jincai_app")
            with psycopg.connect(server.url(user="jincai_app"), autocommit=True) as cx:
                taken = [(microseconds(cx, _ASKED), microseconds(cx, _NOTHING)) for _ in range(turns)]
        finally:
            server.stop("immediate")
    batch = statistics.median(asked - nothing for asked, nothing in taken)
    each = {size: batch / size for size in SIZES}
    holds = each[16] <= MUST_MICROSECONDS
    console = Console()
    console.print(f"a batch asks twice: {batch:.1f} µs, whatever its size")
    for size, one in each.items():
        console.print(f"  {size:5} payments in it: {one:.2f} µs each")
    keep("freeze", {"batch_microseconds": batch, "each": each, "must": MUST_MICROSECONDS, "holds": holds})
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
