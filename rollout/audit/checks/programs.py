"""Running programs of packages: the version that answers, replaced files that still run, the kernel."""

import re
from collections.abc import Callable
from typing import Any

from rollout.audit import actions
from rollout.audit.checks import order_kind
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, Machine
from rollout.audit.findings import Finding
from rollout.audit.versions import compare_debian, upstream

_DEBIAN = re.compile(r"\(Debian ([^)\s]+)\)")
_REBUILD = re.compile(r"\+b\d+$")  # a rebuild by Debian of the same source: programs do not know of it
_POSTGRESQL = re.compile(r"^postgresql-\d+$")


def _postgresql(said: Any) -> str:
    text = str(said)
    debian = _DEBIAN.search(text)
    return debian[1] if debian else text.split(maxsplit=1)[0]


def _patroni(said: Any) -> str:
    return str(said["patroni"]["version"])


def _etcd(said: Any) -> str:
    return str(said["etcdserver"])


# Whom: what it answers → the version in it, and the unit that it runs in.
PROGRAMS: dict[str, tuple[Callable[[Any], str], str]] = {
    "etcd": (_etcd, "etcd.service"),
    "haproxy": (str, "haproxy.service"),
    "patroni": (_patroni, "patroni.service"),
    "postgresql": (_postgresql, "patroni.service"),
}


def version_of(program: str, facts: HostFacts) -> tuple[str, str]:
    """The version that answers and an empty reason, or an empty version and why there is none."""
    said = facts.answers.get(program)
    if isinstance(said, dict) and set(said) == {"error"}:
        return "", str(said["error"])
    try:
        return PROGRAMS[program][0](said), ""
    except (KeyError, TypeError, IndexError):
        return "", f"an answer without a version: {str(said)[:100]}"


def programs(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """For each program that was asked: behind, ahead, or not_running when it gave no answer."""
    findings = []
    for program, (_, unit) in PROGRAMS.items():
        package = _package_of(program, expected)
        if program not in facts.answers or package is None:
            continue
        wanted = expected.packages[package].version
        running, reason = version_of(program, facts)
        component = f"{program} in {unit}"
        if reason:
            findings.append(
                Finding(
                    component=component,
                    kind="not_running",
                    expected=wanted,
                    found=reason,
                    action=actions.RESTART,
                )
            )
        elif order := _compare(running, wanted):
            findings.append(
                Finding(
                    component=component,
                    kind=order_kind(order),
                    expected=wanted,
                    found=running,
                    action=actions.RESTART,
                )
            )
    return findings


def replaced_files(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """Units whose processes still run programs or libraries that an upgrade replaced on disk."""
    if not isinstance(facts.processes, dict):
        return []
    return [
        Finding(
            component=unit,
            kind="behind",
            expected="runs what is on disk",
            found=f"still runs replaced files: {', '.join(processes.deleted[:3])}"
            + (f" and {len(processes.deleted) - 3} more" if len(processes.deleted) > 3 else ""),
            action=actions.RESTART,
        )
        for unit, processes in sorted(facts.processes.items())
        if processes.deleted and unit in expected.services
    ]


def kernel(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """The running kernel against the release's; a container runs its host's."""
    machine = facts.machine
    images = {name: deb.version for name, deb in expected.packages.items() if name.startswith("linux-image-")}
    if not isinstance(machine, Machine) or machine.virtualisation not in {"none", "vm"} or not images:
        return []
    wanted = images.get(f"linux-image-{machine.kernel}")
    newest = max(images.values())
    order = compare_debian(machine.kernel_version or "0", wanted or newest)
    if wanted and order == 0:
        return []
    return [
        Finding(
            component="kernel",
            kind=order_kind(order or -1),
            expected=wanted or newest,
            found=f"{machine.kernel_version or machine.kernel} runs",
            action=actions.REBOOT,
        )
    ]


def _package_of(program: str, expected: HostExpectation) -> str | None:
    if program == "postgresql":
        return next((name for name in sorted(expected.packages) if _POSTGRESQL.match(name)), None)
    names = {"etcd": "etcd-server"}
    name = names.get(program, program)
    return name if name in expected.packages else None


def _compare(running: str, wanted: str) -> int:
    """A program that says Debian's whole version is held against that, another against upstream's part."""
    if "-" in running:
        return compare_debian(running, _REBUILD.sub("", wanted.partition(":")[2] or wanted))
    return compare_debian(running, upstream(wanted))
