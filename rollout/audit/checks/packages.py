"""Debian packages: exactly the release's versions, completely installed, and no others."""

from rollout.audit import actions
from rollout.audit.checks import order_kind, unseen
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, Package, ProbeError
from rollout.audit.findings import Finding
from rollout.audit.versions import compare_debian
from rollout.release.manifest import Deb

_GONE = {"not-installed", "config-files", ""}
_NEVER_REMOVED = ("linux-image-", "firmware-")


def packages(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """behind, ahead, missing, modified (half-installed) and extra packages."""
    if isinstance(facts.packages, ProbeError):
        return [unseen("packages", facts.packages)]
    found = installed(expected, facts.packages)
    findings = []
    for name, deb in sorted(expected.packages.items()):
        finding = _missing(deb) if name not in found else _differing(deb, found[name])
        if finding:
            findings.append(finding)
    return findings + [_extra(name, found[name]) for name in sorted(set(found) - set(expected.packages))]


def installed(expected: HostExpectation, packages: list[Package]) -> dict[str, Package]:
    """By name; a package of another architecture than the release's by ``name:architecture``."""
    native = {deb.architecture for deb in expected.packages.values()} | {"all"}
    return {
        package.name if package.architecture in native else f"{package.name}:{package.architecture}": package
        for package in packages
        if package.state not in _GONE
    }


def removable(package: Package) -> bool:
    """Whether apply may remove it at all, once a plan named it."""
    return not package.essential and not package.name.startswith(_NEVER_REMOVED)


def _missing(deb: Deb) -> Finding:
    return Finding(
        component=deb.name,
        kind="missing",
        expected=deb.version,
        found="not installed",
        action=actions.INSTALL,
    )


def _differing(deb: Deb, package: Package) -> Finding | None:
    order = compare_debian(package.version, deb.version)
    if order:
        action = actions.INSTALL if order < 0 else actions.GO_BACK
        return Finding(
            component=deb.name,
            kind=order_kind(order),
            expected=deb.version,
            found=package.version,
            action=action,
        )
    if package.state == "installed" and package.flag == "ok" and package.architecture == deb.architecture:
        return None
    state = package.state if package.flag == "ok" else f"{package.state}, {package.flag}"
    return Finding(
        component=deb.name,
        kind="modified",
        expected=f"{deb.version} {deb.architecture}, installed",
        found=f"{package.version} {package.architecture}, {state}",
        action=actions.HEAL,
    )


def _extra(name: str, package: Package) -> Finding:
    return Finding(
        component=name,
        kind="extra",
        expected="not installed",
        found=package.version,
        action=actions.REMOVE if removable(package) else actions.KEEP,
    )
