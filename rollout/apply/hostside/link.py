"""How good the line to another host is: pings, and a bounded stream that the other side drops."""

import re
import socket
import subprocess
import threading
import time
from typing import Any

_PINGS = 20
_SECONDS = 2.0
_CHUNK = b"x" * 65536


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What is measured.

    Args:
        question: ``to`` and ``port``: where the other host listens; or ``serve``: for how many seconds to
            listen on ``address`` and ``port`` and drop what comes.
    """
    if "serve" in question:
        return _serve(question["address"], question["port"], question["serve"])
    return {**_ping(question["to"]), "bandwidth_mbps": _stream(question["to"], question["port"])}


def _ping(address: str) -> dict[str, Any]:
    argv = ["ping", "-q", "-n", "-c", str(_PINGS), "-i", "0.05", "-W", "2", address]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout
    loss = re.search(r"([0-9.]+)% packet loss", said)
    times = re.search(r"= [0-9.]+/([0-9.]+)/", said)
    return {
        "loss_percent": float(loss[1]) if loss else 100.0,
        "latency_ms": float(times[1]) if times else None,
    }


def _serve(address: str, port: int, seconds: float) -> dict[str, Any]:
    """Takes in one stream and drops it."""
    with socket.create_server((address, port)) as listening:
        listening.settimeout(seconds)
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            return {"bytes": 0}
        total = 0
        connection.settimeout(seconds)
        with connection:
            while chunk := connection.recv(1 << 20):
                total += len(chunk)
    return {"bytes": total}


def _stream(address: str, port: int) -> float | None:
    """Megabits a second that go over in two seconds; None when nobody takes them."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            connection = socket.create_connection((address, port), timeout=2)
            break
        except OSError:
            threading.Event().wait(0.2)
    else:
        return None
    sent, begun = 0, time.monotonic()
    with connection:
        while time.monotonic() - begun < _SECONDS:
            sent += connection.send(_CHUNK)
    return round(sent * 8 / 1e6 / (time.monotonic() - begun), 1)
