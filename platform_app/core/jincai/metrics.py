"""What `/metrics` says, in a registry of its own: requests, the connection pool, the process."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jincai.identity import Loaded

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_POOL = {
    "pool_size": "connections open",
    "pool_available": "connections idle",
    "requests_waiting": "requests that wait for a connection",
    "connections_lost": "connections found broken",
    "connections_errors": "connection attempts failed",
}


class Metrics:
    """The counters of one process; labels are bounded: routes by template, methods by list."""

    def __init__(self, loaded: Loaded, pools: Callable[[], dict[str, dict[str, int]]]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Pools(pools))
        self._requests = Counter(
            "jincai_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "jincai_http_seconds",
            "Time to answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        versions = {one.code: one.version for one in (loaded.platform, *loaded.systems)}
        Info("jincai", "Versions loaded, and the release.", registry=self._registry).info(
            versions | {"release": loaded.release.name or ""}
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        return generate_latest(self._registry)


class CountRequests:
    """ASGI middleware that counts what the application answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note status and time."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self.metrics.answered(scope["method"], route, status, time.perf_counter() - began)


class _Pools(Collector):
    def __init__(self, pools: Callable[[], dict[str, dict[str, int]]]) -> None:
        self._pools = pools

    def collect(self) -> Iterable[Metric]:
        stats = self._pools()
        for key, text in _POOL.items():
            family = GaugeMetricFamily(f"jincai_database_{key}", f"Database: {text}.", labels=("pool",))
            for pool, values in stats.items():
                family.add_metric((pool,), values.get(key, 0))
            yield family
