"""Our own systems, host by host: what the release wants, what is there, and how one becomes the other."""

import re
from typing import NamedTuple

from rollout.audit.checks.dists import edition_of
from rollout.audit.checks.platform import Version, answer
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import Environment, HostFacts
from rollout.audit.versions import compare_python
from rollout.plan.model import Move, Plan, SystemStep
from rollout.release.manifest import Wheel
from rollout.release.wheels import normalised

# What an apply over several sites does to systems, as people count it.
COUNTED: dict[Move, str] = {
    "replace": "replaced",
    "upgrade": "upgraded",
    "install": "installed",
    "downgrade": "downgraded",
    "remove": "removed",
}
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


def summary(plan: Plan) -> dict[str, list[str]]:
    """Move → the distinct systems that it happens to anywhere in the plan; the region counts as one."""
    found: dict[str, set[str]] = {}
    for site in plan.sites:
        for step in site.systems:
            if step.move in COUNTED:
                found.setdefault(COUNTED[step.move], set()).add(step.system)
    return {name: sorted(found[name]) for name in COUNTED.values() if name in found}


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
    migrations = [
        f"{wheel.name} {wheel.version}: migration {name} removes what older versions need"
        for wheel, schema in _schemas(expected, facts)
        if schema.newest
        for name in _migrations(expected, wheel, _CONTRACT)
        if name[:4] > (schema.contracted or "")[:4]
    ]
    running = {wheel.system: wheel.name for wheel in expected.build.manifest.systems()}
    editions = [
        f"{running[code]}: the data of {dist}, which it replaced, are removed"
        for said in _answers(expected, facts)
        for code, dist in said.replaced.items()
        if running.get(code) not in {None, dist}
    ]
    return [*migrations, *dict.fromkeys(editions)]


def past_return(expected: HostExpectation, facts: HostFacts) -> list[str]:
    """Systems of the release that do not work any more on the schema that runs: it was contracted since."""
    migrations = [
        f"{wheel.name} {wheel.version}: migration {schema.contracted} has removed what it needs"
        for wheel, schema in _schemas(expected, facts)
        if schema.contracted
        and schema.contracted[:4] > max((n[:4] for n in _migrations(expected, wheel, _ANY)), default="")
    ]
    wanted = {wheel.name for wheel in expected.build.manifest.systems()}
    retired = [dist for said in _answers(expected, facts) for dist in said.retired if dist in wanted]
    return [
        *migrations,
        *(f"{dist}: its data were removed when it was replaced" for dist in dict.fromkeys(retired)),
    ]


class _Schema(NamedTuple):
    """What a running system says of its schema."""

    newest: str | None
    contracted: str | None


def _schemas(expected: HostExpectation, facts: HostFacts) -> list[tuple[Wheel, _Schema]]:
    """The release's systems with the schema of each, as the running instances tell."""
    newest: dict[str, str | None] = {}
    contracted: dict[str, str | None] = {}
    for said in _answers(expected, facts):
        newest |= said.migrations
        contracted |= said.contracted
    systems = expected.build.manifest.systems()
    codes = [(wheel, wheel.system or "") for wheel in systems]
    return [(wheel, _Schema(newest.get(code), contracted.get(code))) for wheel, code in codes]


def _answers(expected: HostExpectation, facts: HostFacts) -> list[Version]:
    """What the running instances say of themselves."""
    said = [answer(facts, unit) for unit in expected.instances(facts.active)]
    return [one for one in said if isinstance(one, Version)]


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
