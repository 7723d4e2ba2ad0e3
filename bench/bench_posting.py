"""Posting in batches, beside pgbench's TPC-B at its best client count, on the same server in the same run.

Then the year of real size, posted and reconciled. What must be met counts everything: making the orders,
posting them, reconciling. Beside it stands `post` with its commits alone, which is what pgbench times: the
workers' time by their number, so a worker that waits for the other at the end does not show. fsync is on;
the server is the embedded PostgreSQL with the same settings for everybody.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from jincai import embedded, migrate, plugins
from jincai_payment.year import replay
from jincai_payment.year.generate import PAYMENTS, SeedYear
from report import keep
from rich.console import Console
from rich.table import Table

APP, AUTH = "jincai_app", "jincai_auth"
# DESIGN §8.
MUST_RATIO, AIM_RATIO, MUST_SECONDS = 4.0, 8.0, 120.0
CLIENTS = (1, 4, 8, 16, 32)
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "60",
}


def pgbench(server: embedded.Server, clients: int, seconds: int) -> float:
    """Transactions a second of the built-in TPC-B-like script, over prepared statements."""
    done = subprocess.run(
        [
            *(str(server.binaries / "pgbench"), "-h", str(server.socket_folder), "-U", embedded.SUPERUSER),
            *(
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                str(min(2, clients)),
                "-T",
                str(seconds),
                "pgbench",
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if not found:
        raise RuntimeError(done.stdout)
    return float(found[1])


def reference(server: embedded.Server, seconds: int) -> dict[int, float]:
    """Clients → transactions a second."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as cx:
        cx.execute("CREATE DATABASE pgbench")
    argv = [str(server.binaries / "pgbench"), "-h", str(server.socket_folder), "-U", embedded.SUPERUSER]
    subprocess.run([*argv, "-i", "-q", "-s", "50", "pgbench"], capture_output=True, check=True)
    return {clients: pgbench(server, clients, seconds) for clients in CLIENTS}


def posting(server: embedded.Server, payments: int) -> replay.Replayed:
    """The seeded year, or its first part, through `post`."""
    embedded.prepare(server, APP, AUTH)
    migrate.run(server.url(user=embedded.OWNER), plugins.load(), APP, auth_role=AUTH)
    year = (
        SeedYear(payments=payments)
        if payments == PAYMENTS
        else SeedYear(payments=payments, fen=payments * 10**7)
    )
    return replay.run(server.url(user=APP), server.url(user=embedded.OWNER), year, lambda _: None)


def main() -> None:
    """Measures, shows, and keeps the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of pgbench at each client count")
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jincai-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded.Server(embedded.find_binaries(), home, SETTINGS)
    try:
        server.start()
        tpcb = reference(server, options.seconds)
        done = posting(server, options.payments)
    finally:
        server.stop("immediate")
        shutil.rmtree(home)
    best = max(tpcb.values())
    rate, alone = done.posted / done.seconds, done.posted / done.posting_seconds
    agrees = (
        all(line.agrees for line in done.lines) and sum(line.number for line in done.lines) == done.posted
    )
    met = (
        agrees and rate / best >= MUST_RATIO and (options.payments < PAYMENTS or done.seconds <= MUST_SECONDS)
    )
    found = {
        "pgbench_tps": {str(clients): round(tps) for clients, tps in tpcb.items()},
        "payments": done.posted,
        "seconds": round(done.seconds, 1),
        "payments_per_second": round(rate),
        "times_pgbench_best": round(rate / best, 2),
        "post_alone": {
            "seconds": round(done.posting_seconds, 1),
            "payments_per_second": round(alone),
            "times_pgbench_best": round(alone / best, 2),
        },
        "reconciled_to_the_fen": agrees,
        "met": met,
    }
    keep("posting", found)
    table = Table("what", "a second", title="posting", title_justify="left")
    for clients, tps in tpcb.items():
        table.add_row(f"pgbench TPC-B, {clients} clients", f"{tps:,.0f}")
    table.add_row(
        f"{done.posted:,} payments in {done.seconds:.1f} s, making and reconciling them included",
        f"{rate:,.0f}",
    )
    table.add_row(f"post alone: {done.posting_seconds:.1f} s", f"{alone:,.0f}")
    console = Console()
    console.print(table)
    console.print(
        f"{rate / best:.2f}× pgbench's best (must {MUST_RATIO:.0f}×, aim {AIM_RATIO:.0f}×); "
        f"post alone {alone / best:.2f}×; reconciled to the fen: {'yes' if agrees else 'NO'}"
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
