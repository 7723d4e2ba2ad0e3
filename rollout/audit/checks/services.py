"""systemd units: those that must run do, will after a restart, and nothing unlisted changes how."""

from rollout.audit import actions
from rollout.audit.checks import unseen
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, ProbeError, Unit
from rollout.audit.findings import Finding

_ENABLED = {"enabled", "alias", "static"}
# Units and additions in these folders come with packages, whose contents are checked as such.
_PACKAGED = ("/lib/systemd/", "/usr/lib/systemd/", "/run/systemd/generator")


def services(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """not_running units; units that run but would not come back, or other than their files say."""
    if isinstance(facts.units, ProbeError):
        return [unseen("services", facts.units)] if expected.services else []
    findings = []
    for name, must_be_enabled in sorted(expected.services.items()):
        unit = facts.units.get(name)
        if unit is None or unit.active != "active":
            findings.append(_not_running(name, unit))
        elif must_be_enabled and unit.enabled not in _ENABLED:
            findings.append(
                Finding(
                    component=name,
                    kind="modified",
                    expected="active, enabled",
                    found=f"active, {unit.enabled or 'not enabled'}: it would not start again by itself",
                    action=actions.ENABLE,
                )
            )
    return findings


def unit_files(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """Unit files and additions that no role wrote, and changes that systemd has not read yet."""
    if isinstance(facts.units, ProbeError):
        return []
    findings = []
    for name in sorted(set(expected.services) & set(facts.units)):
        unit = facts.units[name]
        if unit.stale == "yes":
            findings.append(
                Finding(
                    component=name,
                    kind="modified",
                    expected="runs as its unit file says",
                    found="the unit file changed after systemd read it",
                    action=actions.RELOAD,
                )
            )
        findings += [
            Finding(
                component=path,
                kind="extra",
                expected="written by no role",
                found=f"changes how {name} runs",
                action=actions.DELETE,
            )
            for path in [unit.fragment, *unit.drop_ins.split()]
            if path and not path.startswith(_PACKAGED) and path not in expected.files
        ]
    return findings


def _not_running(name: str, unit: Unit | None) -> Finding:
    if unit is None or unit.load == "not-found":
        found = "there is no such unit"
    else:
        found = f"{unit.active} ({unit.sub})"
    return Finding(component=name, kind="not_running", expected="active", found=found, action=actions.START)
