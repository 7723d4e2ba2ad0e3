"""The dists in the platform's environment: the release's versions and editions, and no others."""

from rollout.audit import actions
from rollout.audit.checks import order_kind
from rollout.audit.expect import Environment, HostExpectation
from rollout.audit.facts import Environment as Found
from rollout.audit.facts import HostFacts
from rollout.audit.findings import Finding
from rollout.audit.versions import compare_python
from rollout.release.manifest import Wheel
from rollout.release.wheels import normalised

ENVIRONMENT = "the platform's environment"


def dists(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """behind, ahead, missing, other_edition and extra dists.

    Where there is no environment at all, it and our own systems are missing; the others go without saying.
    """
    wheels = expected.environment.wheels
    if facts.venv is None:
        whole = Finding(
            component=ENVIRONMENT,
            kind="missing",
            expected=f"{len(wheels)} dists",
            found="not there",
            action=actions.REBUILD,
        )
        return [whole, *(_missing(wheel) for wheel in expected.build.manifest.systems())]
    if not isinstance(facts.venv, Found):
        return []  # the check of the files reports it
    found = {normalised(name or folder): version for name, version, folder in facts.venv.dists}
    return _compare(expected.environment, found)


def edition_of(dist: str, wheels: dict[str, Wheel]) -> Wheel | None:
    """The release's wheel that ``dist``, which is not in the release, is another edition of."""
    for wheel in wheels.values():
        if wheel.system and wheel.system != "jincai":
            base = f"jincai-{wheel.system.replace('_', '-')}"
            if dist == base or dist.startswith(f"{base}-"):
                return wheel
    return None


def _compare(environment: Environment, found: dict[str, str]) -> list[Finding]:
    wheels = environment.wheels
    findings = []
    editions: dict[str, str] = {}
    for dist in sorted(set(found) - set(wheels)):
        wheel = edition_of(dist, wheels)
        if wheel and wheel.name not in found:
            editions[wheel.name] = dist
        else:
            findings.append(
                Finding(
                    component=dist,
                    kind="extra",
                    expected="not installed",
                    found=found[dist] or "unreadable",
                    action=actions.REBUILD,
                )
            )
    for name, wheel in sorted(wheels.items()):
        if name in found:
            order = compare_python(found[name], wheel.version)
            if order:
                findings.append(_differing(wheel, found[name], order))
        elif name in editions:
            findings.append(_other_edition(wheel, editions[name], found[editions[name]]))
        else:
            findings.append(_missing(wheel))
    return findings


def _missing(wheel: Wheel) -> Finding:
    return Finding(
        component=wheel.name,
        kind="missing",
        expected=wheel.version,
        found="not installed",
        action=actions.REBUILD,
    )


def _differing(wheel: Wheel, version: str, order: int) -> Finding:
    own_ahead = order > 0 and wheel.system is not None
    return Finding(
        component=wheel.name,
        kind=order_kind(order),
        expected=wheel.version,
        found=version or "unreadable",
        action=actions.ROLLBACK if own_ahead else actions.REBUILD,
    )


def _other_edition(wheel: Wheel, dist: str, version: str) -> Finding:
    return Finding(
        component=wheel.name,
        kind="other_edition",
        expected=f"{wheel.name} {wheel.version}",
        found=f"{dist} {version}",
        action=actions.REBUILD,
    )
