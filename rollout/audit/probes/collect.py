"""Runs every probe and prints one line: a marker, then base64 of zlib of JSON (see rollout.audit.facts)."""

from __future__ import annotations

import binascii
import marshal
import sys
import time
import zlib

from rollout.audit.probes import answers, files, machine, packages, processes, text, units, venv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MARKER = "rollout-facts:"
_PROBE_SECONDS = 4.0


def guarded(probe: Callable[[], Any]) -> Any:
    """What the probe found, or ``{"error": …}``: one that fails says so and stops no other."""
    try:
        return probe()
    except Exception as error:  # noqa: BLE001  whatever goes wrong on a strange host is a fact about it
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def at_once(probes: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """All probes side by side, so that several that do not answer cost one timeout and not their sum."""
    if not probes:
        return {}
    import threading

    found: dict[str, Any] = {}

    def run(name: str) -> None:
        found[name] = guarded(probes[name])

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in probes]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _PROBE_SECONDS + 1
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {name: found.get(name, {"error": "no answer in time"}) for name in probes}


def questions(wanted: dict[str, Any], active: set[str]) -> dict[str, Callable[[], Any]]:
    """Whom to ask: only what is running; what does not run is the finding of its unit."""
    asked: dict[str, Callable[[], Any]] = {}

    def ask(name: str, url: str, tls: dict[str, str] | None = None) -> None:
        asked[name] = lambda: answers.get_json(url, _PROBE_SECONDS, tls)

    if "patroni.service" in active:
        ask("patroni", f"{wanted['patroni']}/patroni", wanted["patroni_tls"])
        ask("cluster", f"{wanted['patroni']}/cluster", wanted["patroni_tls"])
    if "patroni.service" in active or any(name.startswith("postgresql@") for name in active):
        asked["postgresql"] = lambda: answers.postgresql(wanted["postgresql_port"], _PROBE_SECONDS)
    if "etcd.service" in active:
        ask("etcd", f"{wanted['etcd']}/version", wanted["etcd_tls"])
    if "haproxy.service" in active:
        asked["haproxy"] = lambda: answers.haproxy(wanted["haproxy_socket"], _PROBE_SECONDS)
    for unit in sorted(active):
        name, _, instance = unit.removesuffix(".service").partition("@")
        if name == "jincai" and instance.isdigit():
            ask(unit, f"https://127.0.0.1:{wanted['app_port'] + int(instance)}/version")
    return asked


def collect(wanted: dict[str, Any]) -> dict[str, Any]:
    """Every fact about this host that ``wanted`` (rollout.audit.facts.Wanted) asks for."""
    started = time.monotonic()
    found: dict[str, Any] = {
        "packages": guarded(packages.collect),
        "files": guarded(lambda: files.collect(wanted["paths"])),
        "venv": guarded(lambda: venv.collect(wanted["venv"])),
        "units": guarded(lambda: units.collect(wanted["units"], _PROBE_SECONDS)),
        "machine": guarded(lambda: machine.collect(wanted["data_folders"], wanted["record"])),
    }
    states = {} if "error" in found["units"] else found["units"]
    active = {name for name, unit in states.items() if unit.get("ActiveState") in {"active", "reloading"}}
    found["processes"] = guarded(lambda: processes.collect(active))
    found["answers"] = at_once(questions(wanted, active))
    found["seconds"] = round(time.monotonic() - started, 4)
    return found


def main() -> None:
    """Reads what is wanted from standard input (rollout.audit.payload), prints the facts."""
    report(marshal.loads(binascii.a2b_base64(sys.stdin.buffer.readline())))  # noqa: S302  the auditor's own


def report(wanted: dict[str, Any]) -> None:
    """Prints the facts that are asked for."""
    facts = zlib.compress(text.dumps(collect(wanted)).encode(), 1)
    print(MARKER + binascii.b2a_base64(facts, newline=False).decode(), flush=True)
