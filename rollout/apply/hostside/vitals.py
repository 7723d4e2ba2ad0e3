"""How a host is: what failed or alarms, free disk, what the platform answers, the cluster."""

import http.client
import json
import os
import re
import ssl
import subprocess
from typing import Any

from rollout.apply.hostside.alarms import alarms

_CA = "/etc/rollout/ca.pem"
_SECONDS = 5.0
_MOST_BYTES = 4 << 20
_MEMBER = ("name", "role", "state", "lag")
_INSTANCE = re.compile(r"^jincai@(\d+)\.service$")
_REQUESTS = re.compile(r'^jincai_http_requests_total\{.*status="(\d)\d\d".*\} ([0-9.e+]+)$', re.MULTILINE)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What is so now.

    Args:
        question: ``address``: where the services of this host listen; ``patroni``: the port where Patroni
            does; None on a storage device.
    """
    address, patroni = question["address"], question["patroni"]
    return {
        "failed_units": _failed(),
        "alarms": alarms(address, database=bool(patroni)),
        "free_percent": _free("/var"),
        "instances": {unit: _instance(8100 + number) for unit, number in _units()},
        "members": _members(address, patroni) if patroni else None,
    }


def _failed() -> list[str]:
    return _list("list-units", "--failed")


def _units() -> list[tuple[str, int]]:
    """The platform's instances that are to run here: ``jincai@1.service`` listens on 8101."""
    enabled = _list("list-unit-files", "--state=enabled,enabled-runtime", "jincai@*.service")
    loaded = _list("list-units", "--all", "jincai@*.service")
    names = (_INSTANCE.match(unit) for unit in sorted({*enabled, *loaded}))
    return [(found[0], int(found[1])) for found in names if found]


def _list(*arguments: str) -> list[str]:
    argv = ["systemctl", *arguments, "--plain", "--no-legend", "--no-pager"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return [line.split()[0] for line in done.stdout.splitlines() if line.strip()]


def _free(path: str) -> float:
    found = os.statvfs(path)
    return round(100 * found.f_bavail / max(1, found.f_blocks), 1)


def _instance(port: int) -> dict[str, Any]:
    """``healthy``, ``said`` when it is not, and its counters since it started."""
    try:
        status, text = _get("127.0.0.1", port, "/healthz")
        _, counters = _get("127.0.0.1", port, "/metrics")
    except (OSError, http.client.HTTPException) as error:
        return {"healthy": False, "said": str(error), "requests": 0, "errors": 0}
    counts = [(kind, float(number)) for kind, number in _REQUESTS.findall(counters)]
    return {
        "healthy": status == 200,
        "said": "" if status == 200 else text[:300],
        "requests": int(sum(number for _, number in counts)),
        "errors": int(sum(number for kind, number in counts if kind == "5")),
    }


def _members(address: str, port: int) -> list[dict[str, Any]] | None:
    try:
        _, text = _get(address, port, "/cluster")
        members = json.loads(text)["members"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    return [{"lag": 0} | {key: one[key] for key in _MEMBER if key in one} for one in members]


def _get(host: str, port: int, path: str) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=_CA)
    connection = http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        found = connection.getresponse()
        return found.status, found.read(_MOST_BYTES).decode("utf-8", "replace")
    finally:
        connection.close()
