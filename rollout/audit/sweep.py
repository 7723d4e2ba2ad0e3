"""One sweep over many hosts at once: every host's facts, or why there are none.

pyinfra does the connecting, in a process of its own (rollout.audit.swarm): gevent's patches to the standard
library stay there, and this process prepares the comparison while that one imports and connects.
"""

import json
import subprocess
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rollout.audit import payload
from rollout.audit.facts import HostFacts, Unreachable, Wanted, decode
from rollout.audit.swarm_process import spawn
from rollout.inventory import Host
from rollout.paths import Home

CONNECT_SECONDS = 5
TOTAL_SECONDS = 60
DEEP_SECONDS = 600
AUDITOR = "auditor"  # its account

Facts = dict[str, HostFacts | Unreachable]


def start(
    home: Home,
    wanted: Iterable[tuple[Host, Wanted]],
    total_seconds: int = TOTAL_SECONDS,
    swarm: "subprocess.Popen[str] | None" = None,
    auditor: Path | None = None,
) -> "Future[Facts]":
    """Begins the sweep and returns at once. Nothing in its result raises because of a host.

    ``swarm`` is one that was spawned ahead; it is used up. ``auditor``: the private key of an auditor, whose
    account on the hosts reads and does nothing else.
    """
    pairs = list(wanted)
    work = {
        "known_hosts": str(home.known_hosts),
        "key": str(auditor or home.ssh_key),
        "connect_seconds": CONNECT_SECONDS,
        "command_seconds": total_seconds,
        "command": payload.COMMAND,
        "program": payload.sources() if auditor else payload.program(),
        "hosts": [_entry(host, item, auditor=auditor is not None) for host, item in pairs],
    }
    executor = ThreadPoolExecutor(max_workers=1)
    names = [host.name for host, _ in pairs]
    future = executor.submit(_run, swarm or spawn(), names, json.dumps(work), total_seconds)
    executor.shutdown(wait=False)
    return future


def sweep(home: Home, wanted: Iterable[tuple[Host, Wanted]], total_seconds: int = TOTAL_SECONDS) -> Facts:
    """The facts of every host; one that has not answered when the time is over is unreachable."""
    return start(home, wanted, total_seconds).result()


def _entry(host: Host, wanted: Wanted, *, auditor: bool) -> dict[str, str]:
    return {
        "name": host.name,
        "address": str(host.address),
        "user": AUDITOR if auditor else host.user,
        "wanted": wanted.model_dump_json() if auditor else payload.question(wanted),
    }


def _run(swarm: "subprocess.Popen[str]", names: list[str], work: str, total_seconds: int) -> Facts:
    with swarm as process:
        try:
            output, errors = process.communicate(work, timeout=total_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
    # A line that was cut short when the time was over has no end.
    answers = dict(_answer(line) for line in output.splitlines(keepends=True) if line.endswith("\n"))
    silent = Unreachable(reason=f"no answer within {total_seconds} s")
    if process.returncode > 0:
        silent = Unreachable(reason=f"the sweep itself failed: {errors.strip().rpartition(chr(10))[2]}")
    return {name: answers.get(name, silent) for name in names}


def _answer(line: str) -> tuple[str, HostFacts | Unreachable]:
    answer = json.loads(line)
    if "unreachable" in answer:
        return answer["host"], Unreachable(reason=answer["unreachable"])
    try:
        facts = decode(answer["facts"])
        return answer["host"], facts.model_copy(update={"received": answer["at"]})
    except ValueError as error:
        return answer["host"], Unreachable(reason=" ".join(str(error).split())[:300])
