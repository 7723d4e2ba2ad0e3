"""Fund query over the year of real size, beside plain SQL over the payments themselves, kind by kind.

Every question differs (words, days, amounts are drawn); readers are the region, a city and a unit. What banks
answered is made up by SQL, since a year of receipts over HTTP would take longer than everything else.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import LiteralString

import bench_posting
import httpx
import psycopg
from jincai import app, embedded, plugins
from jincai.auth import sessions
from jincai.auth.roles import PERMISSIONS
from jincai.settings import Settings
from jincai_payment.fund_query import index
from jincai_payment.year.generate import _NAMES, _PURPOSES, _TRADES, PAYMENTS
from psycopg import sql
from report import keep
from rich.console import Console
from rich.table import Table

MUST_P99_MS, MUST_INDEXED, AIM_INDEXED = 200, 10_000, 20_000
DRAW = random.Random("fund query")  # noqa: S311 - questions, no secrets
SCOPES: dict[str, dict[str, list[str]]] = {
    "region": {},
    "city": {"divisions": ["450300", "450302", "450303"]},
    "unit": {"divisions": ["450100"], "agencies": ["101001"]},
}
Question = dict[str, str | int]


def _day() -> str:
    return f"2010-{DRAW.randint(1, 12):02}-{DRAW.randint(1, 28):02}"


def _month() -> Question:
    month = DRAW.randint(1, 12)
    return {"pay_from": f"2010-{month:02}-01", "pay_to": f"2010-{month:02}-28"}


def _word() -> str:
    said = DRAW.choice(_PURPOSES)
    start = DRAW.randrange(len(said) - 1)
    return said[start : start + 2]


def _amount() -> Question:
    low = DRAW.randint(1, 10 ** DRAW.randint(5, 9))
    return {"amount_from": low, "amount_to": low + low // 20 + 1}


def _item() -> Question:
    return {
        "exp_func_code": DRAW.choice(("201", "2050202", "2130104")),
        "dep_exp_eco_code": DRAW.choice(("302", "30211", "31001")),
    }


KINDS: dict[str, Callable[[], Question]] = {
    "two characters": lambda: {"words": _word()},
    "a purpose whole": lambda: {"purpose": f"{DRAW.choice(_PURPOSES)}{DRAW.randrange(1000):03}"},
    "purpose and payee": lambda: {"words": f"{_word()} {DRAW.choice(_NAMES)}"},
    "one character": lambda: {"words": DRAW.choice("费购车印款漆")},
    "digits": lambda: {"words": f"{DRAW.randrange(1000):03}"},
    "payee by name": lambda: {"payee": f"{DRAW.choice(_NAMES)}{DRAW.choice(_TRADES)}"},
    "payee by number": lambda: {"payee": f"{DRAW.randrange(4000):04}号"},
    "not there": lambda: {"words": DRAW.choice(("品办公", "购采", "费水电", "查无此人"))},
    "account": lambda: {"payee_account": f"4500{DRAW.randrange(4000):012}"},
    "unit": lambda: {"agency_code": f"{101001 + DRAW.randrange(60) * 1000}"},
    "items": _item,
    "fund and item": lambda: {"fund_type_code": "2", **_item()},
    "cash and words": lambda: {"set_mode_code": "2", "words": _word()},
    "a day": lambda: {"pay_from": (day := _day()), "pay_to": day},
    "amounts": _amount,
    "a month's amounts": lambda: _month() | _amount(),
    "a month's words": lambda: _month() | {"words": _word()},
    "a year": lambda: {"fiscal_year": 2010},
    "large ones": lambda: {"amount_from": 10 ** DRAW.randint(6, 11), "sort": "-amount"},
    "failed": lambda: {"bank_state": "failed"},
    "waiting": lambda: {"bank_state": "waiting"},
    "paid, not cleared": lambda: {"bank_state": "paid"},
    "cleared, words": lambda: {"bank_state": "cleared", "words": _word()},
    "cleared, a month": lambda: {"bank_state": "cleared", **_month()},
    "far down": lambda: {"words": _word(), "offset": DRAW.randrange(100) * 100},
    "nearly everything": lambda: {
        "fiscal_year": 2010, "agency_code": "101001", "words": _word(), "pay_type": "direct",
        "kind": "payment", "set_mode_code": "1", **_item(), "amount_from": 10_000,
    },
}  # fmt: skip

_CLEARINGS = """
INSERT INTO payment.clearing (fiscal_year, division, clearing_date, pay_type, number, state, paid_count,
                              paid, refund_count, refunded, voucher_id, made_by, checked_by, checked_at)
SELECT fiscal_year, division, pay_date, pay_type, 1, 'booked', count(*), sum(amount), 0, 0, 1, 'bench',
       'other', now()
  FROM payment.payment
 WHERE pay_date < '2011-01-15'
 GROUP BY 1, 2, 3, 4
"""
# Almost all were paid, and cleared until the middle of the last month; of its last days nothing was sent.
_ORDERS = """
INSERT INTO payment.bank_order (payment_id, fiscal_year, division, agency_code, pay_type, amount, pay_date,
                                state, attempts, sent_to, sent_at, answer_by, bank_no, paid_date,
                                paid_amount, reason, answered_by, answered_at, clearing_id)
SELECT p.id, p.fiscal_year, p.division, p.agency_code, p.pay_type, p.amount, p.pay_date, x.state, 1, 'bench',
       now(), now(), 'B' || p.id, p.pay_date, CASE x.state WHEN 'paid' THEN p.amount ELSE 0 END,
       CASE x.state WHEN 'failed' THEN 'bench' END, 'bench', now(), CASE x.state WHEN 'paid' THEN c.id END
  FROM payment.payment AS p
 CROSS JOIN LATERAL (SELECT CASE WHEN p.id % 1000 = 7 THEN 'failed' ELSE 'paid' END AS state) AS x
  LEFT JOIN payment.clearing AS c
         ON (c.fiscal_year, c.division, c.clearing_date, c.pay_type)
          = (p.fiscal_year, p.division, p.pay_date, p.pay_type)
 WHERE p.pay_date < '2011-01-26'
"""
_PLAIN: dict[str, LiteralString] = {
    "fiscal_year": "p.fiscal_year = %(fiscal_year)s",
    "agency_code": "p.agency_code = %(agency_code)s",
    "words": "strpos(p.purpose || ' ' || p.payee_name, %(words)s) > 0",
    "purpose": "strpos(p.purpose, %(purpose)s) > 0",
    "payee": "strpos(p.payee_name, %(payee)s) > 0",
    "payee_account": "starts_with(p.payee_account, %(payee_account)s)",
    "pay_from": "p.pay_date >= %(pay_from)s",
    "pay_to": "p.pay_date <= %(pay_to)s",
    "amount_from": "p.amount >= %(amount_from)s",
    "amount_to": "p.amount <= %(amount_to)s",
    "exp_func_code": "starts_with(p.exp_func_code, %(exp_func_code)s)",
    "dep_exp_eco_code": "starts_with(p.dep_exp_eco_code, %(dep_exp_eco_code)s)",
    "fund_type_code": "p.fund_type_code = %(fund_type_code)s",
    "set_mode_code": "p.set_mode_code = %(set_mode_code)s",
    "pay_type": "p.pay_type = %(pay_type)s",
    "kind": "p.kind = %(kind)s",
}
_COUNT: LiteralString = "SELECT count(*) FROM payment.payment AS p WHERE {where}"
_PAGE: LiteralString = """
SELECT * FROM payment.payment AS p WHERE {where} ORDER BY p.pay_date DESC, p.id DESC LIMIT 50
"""


def load(server: embedded.Server, payments: int) -> float:
    """The year, what banks said of it, and the search; payments a second taken into the search."""
    bench_posting.posting(server, payments)
    owner = server.url(user=embedded.OWNER)
    with psycopg.connect(owner, autocommit=True) as cx:
        token = sessions.open_for_process(cx, "bench", (), 3600)
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        cx.execute(_CLEARINGS)
        cx.execute(_ORDERS)
        cx.execute("VACUUM ANALYZE")
    count, seconds = index.everything(owner)
    return count / seconds


async def ask(urls: tuple[str, str], tokens: Mapping[str, str], times: int) -> dict[str, list[float]]:
    """Kind of question → milliseconds of each answer over the API, readers taking turns."""
    made = app.create(Settings(auth_database_url=urls[1]), urls[0], plugins.load())
    taken: dict[str, list[float]] = {}
    async with (
        made.router.lifespan_context(made),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=made), base_url="http://bench", timeout=60
        ) as http,
    ):
        for kind, draw in KINDS.items():
            for reader, token in tokens.items():
                headers = {"Authorization": f"Bearer {token}"}
                for n in range(times + 1):
                    begun = time.perf_counter()
                    answer = await http.get("/api/v1/payment/search", params=draw(), headers=headers)
                    if answer.status_code != 200:
                        raise RuntimeError(f"{kind}, {reader}: {answer.status_code} {answer.text[:500]}")
                    if n:
                        taken.setdefault(kind, []).append((time.perf_counter() - begun) * 1000)
        number = answer.json()["items"][0]["id"] if answer.json()["items"] else 1
        for name, path in {"page": "/payment/search?words=会议", "way": f"/payment/search/{number}"}.items():
            for n in range(times + 1):
                begun = time.perf_counter()
                await http.get(path, headers={"Authorization": f"Bearer {tokens['region']}"})
                if n:
                    taken.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
    return taken


def plain(url: str, token: str) -> dict[str, float]:
    """Kind of question → milliseconds of asking the payments themselves for count and page, as the region."""
    taken: dict[str, float] = {}
    with psycopg.connect(url, autocommit=True) as cx:
        cx.execute("SELECT set_config('jincai.session', %s, false)", (token,))
        for kind, draw in KINDS.items():
            question = draw()
            if not set(question) <= {*_PLAIN, "sort", "offset"} or " " in str(question.get("words", "")):
                continue
            where = sql.SQL(" AND ").join(sql.SQL(_PLAIN[name]) for name in question if name in _PLAIN)
            begun = time.perf_counter()
            for asked in (_COUNT, _PAGE):
                cx.execute(sql.SQL(asked).format(where=where), question).fetchall()
            taken[kind] = (time.perf_counter() - begun) * 1000
    return taken


def _p99(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def main() -> None:
    """Measures, shows, and keeps the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    parser.add_argument("--times", type=int, default=30, help="questions of each kind and reader")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="jincai-bench-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded.Server(embedded.find_binaries(), home, bench_posting.SETTINGS)
    try:
        server.start()
        indexed = load(server, options.payments)
        with psycopg.connect(server.url(user=embedded.OWNER)) as cx:
            tokens = {
                name: sessions.open_for_process(cx, name, tuple(PERMISSIONS), 3600, **scope)
                for name, scope in SCOPES.items()
            }
        urls = (server.url(user=bench_posting.APP), server.url(user=bench_posting.AUTH))
        taken = asyncio.run(ask(urls, tokens, options.times))
        beside = plain(urls[0], tokens["region"])
    finally:
        server.stop("immediate")
        shutil.rmtree(home)
    table = Table("question", "p50 ms", "p99 ms", "plain SQL ms", title=f"{options.payments:,} payments")
    for kind, times in taken.items():
        reference = f"{beside[kind]:.0f}" if kind in beside else "–"
        table.add_row(kind, f"{statistics.median(times):.1f}", f"{_p99(times):.1f}", reference)
    console = Console()
    console.print(table)
    mix = [one for times in taken.values() for one in times]
    p99 = _p99(mix)
    met = p99 <= MUST_P99_MS and indexed >= MUST_INDEXED
    found = {
        "payments": options.payments,
        "indexed_per_second": round(indexed),
        "p50_ms": {kind: round(statistics.median(times), 1) for kind, times in taken.items()},
        "p99_ms_by_kind": {kind: round(_p99(times), 1) for kind, times in taken.items()},
        "plain_sql_ms": {kind: round(one, 1) for kind, one in beside.items()},
        "mix_p50_ms": round(statistics.median(mix), 1),
        "mix_p99_ms": round(p99, 1),
        "met": met,
    }
    keep("fund_query", found)
    console.print(
        f"{len(mix):,} answers, p50 {statistics.median(mix):.1f} ms, p99 {p99:.1f} ms (must {MUST_P99_MS}); "
        f"{indexed:,.0f} payments a second taken in (must {MUST_INDEXED:,}, aim {AIM_INDEXED:,})"
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
