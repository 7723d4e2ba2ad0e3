"""Single payments over HTTP: one process, 32 clients, each sends its next order when it has its answer."""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
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


async def client(
    http: httpx.AsyncClient, number: int, quotas: list[tuple[int, str]], until: float
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
        answer = await http.post("/api/v1/payment/orders", json=order)
        taken.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != 200 or answer.json()["outcome"] != "posted":
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return taken


async def measure(token: str, quotas: list[tuple[int, str]], clients: int, seconds: float) -> list[float]:
    """All answers' milliseconds; the first second, in which everything is new, does not count."""
    limits = httpx.Limits(max_connections=clients)
    headers = {"Authorization": f"Bearer {token}"}
    base = f"http://127.0.0.1:{PORT}"
    async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=10) as http:
        for _ in range(100):
            try:
                await http.get("/livez")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
        warm = time.monotonic() + 1
        await asyncio.gather(*(client(http, 900 + n, quotas, warm) for n in range(clients)))
        until = time.monotonic() + seconds
        every = await asyncio.gather(*(client(http, n, quotas, until) for n in range(clients)))
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
