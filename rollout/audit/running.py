"""What a host runs and what of it was checked: a report says more than what is wrong."""

from collections.abc import Mapping

from rollout.audit.checks.platform import answer
from rollout.audit.checks.programs import PROGRAMS, version_of
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import Environment, HostFacts, Machine, ProbeError, Unreachable

# Between a look at the clock and the answer's arrival lie the other probes.
_CLOCK_SECONDS = 10.0


def running(expected: HostExpectation, facts: HostFacts) -> dict[str, str]:
    """Component → the version that answers; several processes that differ are all named."""
    found: dict[str, set[str]] = {}
    for unit in expected.instances(facts.active):
        said = answer(facts, unit)
        if not isinstance(said, str):
            for component in said.components.values():
                found.setdefault(component.dist, set()).add(component.version)
            found.setdefault("release", set()).add(f"{said.release.name} serial {said.release.serial}")
    versions = {name: ", ".join(sorted(values)) for name, values in found.items()}
    for program in PROGRAMS:
        if program in facts.answers:
            version, _ = version_of(program, facts)
            if version:
                versions[program] = version
    if isinstance(facts.machine, Machine):
        versions["kernel"] = facts.machine.kernel
    return dict(sorted(versions.items()))


def clock_notes(facts: Mapping[str, HostFacts | Unreachable]) -> list[str]:
    """Hosts whose clock is not this control node's; either may be the one that is wrong."""
    notes = []
    for host, found in facts.items():
        if isinstance(found, HostFacts) and isinstance(found.machine, Machine) and found.received:
            seconds = found.machine.clock - found.received
            if abs(seconds) > _CLOCK_SECONDS:
                notes.append(f"{host}: its clock is {seconds:+.0f} s off this control node's")
    return notes


def checked(expected: HostExpectation, facts: HostFacts) -> dict[str, int]:
    """How many of each kind of thing were held against what is expected."""
    counts = {
        "package": 0 if isinstance(facts.packages, ProbeError) else len(expected.packages),
        "managed_file": 0 if isinstance(facts.files, ProbeError) else len(expected.files),
        "service": 0 if isinstance(facts.units, ProbeError) else len(expected.services),
        "process": sum(len(unit.pids) for unit in facts.processes.values())
        if isinstance(facts.processes, dict)
        else 0,
    }
    if isinstance(facts.venv, Environment):
        counts["dist"] = len(expected.environment.wheels)
        counts["python_file"] = len(facts.venv.files)
    if expected.contents is not None:
        counts["packaged_file"] = sum(map(len, expected.contents.values()))
    return counts
