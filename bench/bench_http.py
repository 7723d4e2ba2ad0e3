"""Single payments over HTTP: one process, 32 clients, each sends its next order when it has its answer."""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from jincai import embedded, migrate, plugins
from jincai.auth import sessions
from report import keep
from rich.console import Console

APP, AUTH = "jincai_app", "jincai_auth"
PORT = 18_473
# DESIGN §8.
MUST_RATE, MUST_P99_MS, AIM_RATE, AIM_P99_MS = 500, 100, 1_500, 50
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "max_connections": "60"}
_QUOTAS = """
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code,
                           fund_type_code, exp_func_code, dep_exp_eco_code, granted)
SELECT 2010, '450100', (101000 + n / 4)::text, n, 'direct', '1', '1', '2010301', '30201', 10^14::bigint
  FROM generate_series(1, 400) AS n
RETURNING id, agency_code
"""


def prepare(server: embedded.Server) -> tuple[str, list[tuple[int, str]]]:
    """A migrated database; a session's token, and quotas with their units."""
    embedded.prepare(server, APP, AUTH)
    owner = server.url(user=embedded.OWNER)
    migrate.run(owner, plugins.load(), APP, auth_role=AUTH)
    with psycopg.connect(owner) as cx:
        token = sessions.open_for_process(cx, "bench", ("payment.post",), 3600)
        cx.execute("SELECT set_config('jincai.session', %s, true)", (token,))
        return token, cx.execute(_QUOTAS).fetchall()


class Connection:
    """One kept-alive HTTP/1.1 connection: a general client would cost as much as the server it measures."""

    def __init__(self, token: str) -> None:
        self._head = (
            "POST /api/v1/payment/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: "
        )

    async def open(self) -> None:
        """Connect, as soon as somebody listens."""
        for _ in range(100):
            try:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", PORT)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                return
        raise RuntimeError(f"nothing listens on port {PORT}")

    async def ask(self, order: dict[str, object]) -> None:
        """Send one order and wait until it is posted."""
        body = json.dumps(order, ensure_ascii=False).encode()
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200") or json.loads(answer)["outcome"] != "posted":
            raise RuntimeError((head + answer).decode())


async def client(
    connection: Connection, number: int, quotas: list[tuple[int, str]], until: float
) -> list[float]:
    """Milliseconds of each answer until the time is over."""
    taken = []
    while time.monotonic() < until:
        n = len(taken)
        quota, agency = quotas[(number * 31 + n) % len(quotas)]
        order = {
            "idempotency_key": f"bench-{number:03}-{n:07}",
            "fiscal_year": 2010,
            "division": "450100",
            "agency_code": agency,
            "quota_id": quota,
            "amount": 100 + n,
            "pay_date": "2010-03-05",
            "payee_name": "示例文具店",
            "payee_account": "4500000000000001",
            "purpose": "办公用品采购",
        }
        begun = time.perf_counter()
        await connection.ask(order)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


async def measure(token: str, quotas: list[tuple[int, str]], clients: int, seconds: float) -> list[float]:
    """All answers' milliseconds; the first second, in which everything is new, does not count."""
    connections = [Connection(token) for _ in range(clients)]
    await asyncio.gather(*(one.open() for one in connections))
    warm = time.monotonic() + 1
    await asyncio.gather(*(client(one, 900 + n, quotas, warm) for n, one in enumerate(connections)))
    until = time.monotonic() + seconds
    every = await asyncio.gather(*(client(one, n, quotas, until) for n, one in enumerate(connections)))
    return sorted(one for taken in every for one in taken)


def main() -> None:
    """Measures, shows, and keeps the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jincai-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded.Server(embedded.find_binaries(), home, SETTINGS)
    serving = None
    try:
        server.start()
        token, quotas = prepare(server)
        urls = {
            "JINCAI_DATABASE_URL": server.url(user=APP),
            "JINCAI_AUTH_DATABASE_URL": server.url(user=AUTH),
        }
        argv = [str(Path(sys.executable).parent / "jincai"), "serve", "--port", str(PORT)]
        serving = subprocess.Popen(argv, env={**os.environ, **urls})
        taken = asyncio.run(measure(token, quotas, options.clients, options.seconds))
    finally:
        if serving:
            serving.terminate()
            serving.wait()
        server.stop("immediate")
        shutil.rmtree(home)
    rate, p50, p99 = len(taken) / options.seconds, statistics.median(taken), taken[int(len(taken) * 0.99)]
    met = rate >= MUST_RATE and p99 <= MUST_P99_MS
    found = {
        "clients": options.clients,
        "payments_per_second": round(rate),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "met": met,
    }
    keep("http", found)
    Console().print(
        f"{options.clients} clients: {rate:,.0f} payments a second, p50 {p50:.1f} ms, p99 {p99:.1f} ms "
        f"(must {MUST_RATE}/s and {MUST_P99_MS} ms, aim {AIM_RATE}/s and {AIM_P99_MS} ms)"
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
