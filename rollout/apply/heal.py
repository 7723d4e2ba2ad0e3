"""Heals the hosts of a site after a killed run, before anybody reads what is there."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError

WAIT_SECONDS = 120.0
_MARGIN = 960  # dpkg's own work, and the way there and back
_DPKG = "/var/lib/dpkg"


def heal(remotes: Mapping[str, Remote], say: Callable[[str], None], wait: float = WAIT_SECONDS) -> None:
    """Waits for what still works on the hosts, and finishes what dpkg left half-done.

    Raises:
        UnreachableError: a host does not answer.
        ApplyError: something still works on a host after ``wait`` seconds; nothing is ever ended there.
    """
    question = {"seconds": wait, "dpkg": _DPKG}
    with ThreadPoolExecutor(max_workers=max(1, len(remotes))) as pool:
        jobs = {
            host: pool.submit(ask, remote, "heal", question, wait + _MARGIN)
            for host, remote in remotes.items()
        }
        answers = {host: job.result() for host, job in jobs.items()}
    for host, answer in answers.items():
        for line in _told(answer):
            say(f"{host}: {line}")
    busy = [f"{host}: {', '.join(answer['busy'])}" for host, answer in answers.items() if answer["busy"]]
    if busy:
        raise ApplyError(
            f"after {wait:.0f} s there is still work going on that a killed run began:\n  "
            + "\n  ".join(busy),
            "Look there what it does; run apply again when it has ended.",
        )


def _told(answer: dict[str, Any]) -> list[str]:
    lines = [f"waited for {', '.join(answer['waited'])}"] if answer["waited"] else []
    if answer["healed"]:
        lines.append(f"dpkg was left half-done and is healed ({_first(answer['half_done'])})")
    elif answer["left"]:
        lines.append(f"dpkg is left half-done; the packages step repairs it ({_first(answer['left'])})")
    return lines


def _first(text: str) -> str:
    return text.splitlines()[0][:160] if text else ""
