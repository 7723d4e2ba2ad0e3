"""Our own systems, host by host: what the release wants, what is there, and how one becomes the other."""

import re

from rollout.audit.checks.dists import edition_of
from rollout.audit.checks.platform import answer
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import Environment, HostFacts
from rollout.audit.versions import compare_python
from rollout.plan.model import SystemStep
from rollout.release.manifest import Wheel
from rollout.release.wheels import normalised

_OWN = re.compile(r"^jincai(-[a-z0-9-]+)?$")
_CONTRACT = re.compile(r"(?:^|/)migrations/(\d{4}_contract_[^/]+)\.sql$")


def steps(expected: HostExpectation, facts: HostFacts) -> list[SystemStep]:
    """A step for every system of the release, then one for each of ours that the release does not know."""
    wheels = {wheel.name: wheel for wheel in expected.build.manifest.systems()}
    found = installed(facts)
    others = {name: edition_of(name, wheels) for name in found if name not in wheels}
    replaced = {wheel.name: name for name, wheel in others.items() if wheel and wheel.name not in found}
    host = expected.host.name
    result = [_step(host, wheel, found, replaced.get(name)) for name, wheel in wheels.items()]
    gone = sorted(set(others) - set(replaced.values()))
    return result + [_removal(host, name, found[name]) for name in gone]


def installed(facts: HostFacts) -> dict[str, str]:
    """Our own dists on the disk of a host: name → version."""
    if not isinstance(facts.venv, Environment):
        return {}
    names = {normalised(name or folder): version for name, version, folder in facts.venv.dists}
    return {name: version for name, version in names.items() if _OWN.match(name)}


def contract_migrations(expected: HostExpectation, facts: HostFacts) -> list[str]:
    """Migrations that take something away from the schema that runs: no older version works after them."""
    applied: dict[str, str | None] = {}
    for unit in expected.instances(facts.active):
        said = answer(facts, unit)
        if not isinstance(said, str):
            applied |= said.migrations
    points = []
    for wheel in expected.build.manifest.systems():
        newest = applied.get(wheel.system or "")
        for path in sorted(expected.environment.files[wheel.name]):
            found = _CONTRACT.search(path)
            if found and newest and found[1][:4] > newest[:4]:
                points.append(
                    f"{wheel.name} {wheel.version}: migration {found[1]} removes what older versions need"
                )
    return points


def _step(host: str, wheel: Wheel, found: dict[str, str], replaced: str | None) -> SystemStep:
    wanted = f"{wheel.name} {wheel.version}"
    system = wheel.system or wheel.name
    if wheel.name in found:
        there = f"{wheel.name} {found[wheel.name]}"
        order = compare_python(found[wheel.name], wheel.version)
        if order < 0:
            why = f"{found[wheel.name]} is older than {wheel.version}"
            return SystemStep(host=host, system=system, move="upgrade", found=there, wanted=wanted, why=why)
        if order > 0:
            why = f"{found[wheel.name]} is newer than {wheel.version}"
            return SystemStep(host=host, system=system, move="downgrade", found=there, wanted=wanted, why=why)
        return SystemStep(
            host=host, system=system, move="nothing", found=there, wanted=wanted, why="the release's"
        )
    if replaced:
        there = f"{replaced} {found[replaced]}"
        why = f"{replaced} is another edition than {wheel.name}"
        return SystemStep(host=host, system=system, move="replace", found=there, wanted=wanted, why=why)
    return SystemStep(host=host, system=system, move="install", found="", wanted=wanted, why="not there")


def _removal(host: str, name: str, version: str) -> SystemStep:
    return SystemStep(
        host=host,
        system=name.removeprefix("jincai-"),
        move="remove",
        found=f"{name} {version}",
        wanted="",
        why="not in the release",
    )
