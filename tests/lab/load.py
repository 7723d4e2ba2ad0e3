"""Steady payments over a city's address while something is done to it; what failed, and the longest pause.

A request has failed when no 2xx or 4xx came within 10 s for a client that repeats a connect error or a reset
once, with the same idempotency key (docs/upgrade.md).
"""

import http.client
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise

from tests.lab.city import VIP, City

WITHIN_SECONDS = 10.0
CLIENTS = 8
EVERY_SECONDS = 0.2  # each client
MOST_ORDERS = 200_000

_QUOTA = """
INSERT INTO payment.quota (fiscal_year, division, agency_code, indicator_id, pay_type, bgt_type_code,
                           fund_type_code, exp_func_code, dep_exp_eco_code, granted, control_level)
VALUES (2010, '450100', '101001', {indicator}, 'direct', '1', '1', '2010301', '30201', 10^15::bigint, 2)
RETURNING id
"""
_KEY = (
    "cd /; runuser -u jincai -- sh -c 'set -a; . /etc/jincai/jincai.env; PYTHONDONTWRITEBYTECODE=1; "
    'exec /opt/jincai/current/venv/bin/python -P -s -m jincai key add "$1" --permission payment.post '
    "--division 450100 --days 1' sh {name}"
)


@dataclass
class Load:
    """What clients saw. Times are monotonic seconds.

    Attributes:
        posted: idempotency key → when its payment was acknowledged.
        failed: when, and what was seen.
        repeated: how many requests were sent a second time.
        slowest: the longest that one request took.
    """

    posted: dict[str, float] = field(default_factory=dict)
    failed: list[tuple[float, str]] = field(default_factory=list)
    repeated: int = 0
    slowest: float = 0.0

    @property
    def longest_pause(self) -> float:
        """Seconds in which no payment at all was acknowledged, although all clients kept asking."""
        times = sorted(self.posted.values())
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)

    def __str__(self) -> str:
        return (
            f"{len(self.posted)} payments, {len(self.failed)} failed, {self.repeated} repeated once, "
            f"longest write pause {self.longest_pause:.2f} s, slowest request {self.slowest:.2f} s"
        )


class _Client:
    """One kept-alive connection, made anew when it breaks."""

    def __init__(self, city: City, key: str, quota: int, load: Load, lock: threading.Lock) -> None:
        self._context = ssl.create_default_context(cafile=str(city.home.secrets(city.site) / "ca.pem"))
        self._key, self._quota, self._load, self._lock = key, quota, load, lock
        self._connection: http.client.HTTPSConnection | None = None

    def pay(self, number: int) -> None:
        """One order, to its end."""
        key = str(uuid.uuid4())
        order = {
            "idempotency_key": key,
            "fiscal_year": 2010,
            "division": "450100",
            "agency_code": "101001",
            "quota_id": self._quota,
            "amount": 100 + number,
            "pay_date": "2010-03-05",
            "payee_name": f"示例文具店{number % 997}",
            "payee_account": f"45{number % 997:014}",
            "purpose": "办公用品采购",
        }
        begun = time.monotonic()
        said = self._twice(json.dumps(order).encode(), begun)
        now = time.monotonic()
        with self._lock:
            self._load.slowest = max(self._load.slowest, now - begun)
            if said == "posted":
                self._load.posted[key] = now
            else:
                self._load.failed.append((now, said))

    def _twice(self, body: bytes, begun: float) -> str:
        try:
            return self._once(body, begun)
        except TimeoutError:
            return f"nothing came within {WITHIN_SECONDS:.0f} s"
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            with self._lock:
                self._load.repeated += 1
            first = f"{type(error).__name__}: {error}"
        try:
            return self._once(body, begun)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            return f"{first}; again: {type(error).__name__}: {error}"

    def _once(self, body: bytes, begun: float) -> str:
        left = WITHIN_SECONDS - (time.monotonic() - begun)
        if left <= 0:
            raise TimeoutError
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(VIP, timeout=left, context=self._context)
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        try:
            self._connection.request("POST", "/api/v1/payment/orders", body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except TimeoutError:
            self._drop()
            raise
        if answer.status != 200:
            return f"{answer.status} {text.decode(errors='replace')[:300]}"
        outcome: str = json.loads(text)["outcome"]
        return outcome

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@contextmanager
def payments(city: City, clients: int = CLIENTS) -> Iterator[Load]:
    """Clients that pay until the block ends; what they saw is complete afterwards."""
    quota = int(city.sql(_QUOTA.format(indicator=int(time.time()))).splitlines()[0])
    key = city.host("a").run(_KEY.format(name=f"load-{time.time_ns()}")).stdout.strip()
    load, lock, over, numbers = Load(), threading.Lock(), threading.Event(), count(1)

    def work() -> None:
        client = _Client(city, key, quota, load, lock)
        while not over.wait(EVERY_SECONDS) and (number := next(numbers)) < MOST_ORDERS:
            client.pay(number)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join(2 * WITHIN_SECONDS + 5)
    print(load)


def lost(city: City, load: Load) -> set[str]:
    """Acknowledged payments that the database does not have."""
    there = set(city.sql("SELECT idempotency_key FROM payment.payment").splitlines())
    return set(load.posted) - there
