"""Our own systems, host by host: what the release wants, what is there, and how one becomes the other."""

import re
from typing import NamedTuple

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
_ANY = re.compile(r"(?:^|/)migrations/(\d{4}_[^/]+)\.sql$")


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
    """Migrations that will take something away from the schema that runs: no older version works after them.

    A system whose schema is not there yet has nothing to lose.
    """
    return [
        f"{wheel.name} {wheel.version}: migration {name} removes what older versions need"
        for wheel, schema in _schemas(expected, facts)
        if schema.newest
        for name in _migrations(expected, wheel, _CONTRACT)
        if name[:4] > (schema.contracted or "")[:4]
    ]


def past_return(expected: HostExpectation, facts: HostFacts) -> list[str]:
    """Systems of the release that do not work any more on the schema that runs: it was contracted since."""
    return [
        f"{wheel.name} {wheel.version}: migration {schema.contracted} has removed what it needs"
        for wheel, schema in _schemas(expected, facts)
        if schema.contracted
        and schema.contracted[:4] > max((n[:4] for n in _migrations(expected, wheel, _ANY)), default="")
    ]


class _Schema(NamedTuple):
    """What a running system says of its schema."""

    newest: str | None
    contracted: str | None


def _schemas(expected: HostExpectation, facts: HostFacts) -> list[tuple[Wheel, _Schema]]:
    """The release's systems with the schema of each, as the running instances tell."""
    newest: dict[str, str | None] = {}
    contracted: dict[str, str | None] = {}
    for unit in expected.instances(facts.active):
        said = answer(facts, unit)
        if not isinstance(said, str):
            newest |= said.migrations
            contracted |= said.contracted
    systems = expected.build.manifest.systems()
    codes = [(wheel, wheel.system or "") for wheel in systems]
    return [(wheel, _Schema(newest.get(code), contracted.get(code))) for wheel, code in codes]


def _migrations(expected: HostExpectation, wheel: Wheel, kind: re.Pattern[str]) -> list[str]:
    """Names of the migrations in a wheel, without their ending."""
    found = (kind.search(path) for path in sorted(expected.environment.files[wheel.name]))
    return [match[1] for match in found if match]


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
