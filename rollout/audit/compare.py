"""What is wrong with a host: every check, in the order in which a person reads the findings."""

from rollout.audit.checks import Check
from rollout.audit.checks.cluster import cluster
from rollout.audit.checks.dists import dists
from rollout.audit.checks.managed_files import managed_files
from rollout.audit.checks.packaged_files import packaged_files
from rollout.audit.checks.packages import packages
from rollout.audit.checks.platform import platform
from rollout.audit.checks.programs import kernel, programs, replaced_files
from rollout.audit.checks.python_files import python_files
from rollout.audit.checks.services import services, unit_files
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, Unreachable
from rollout.audit.findings import Finding
from rollout.audit.reasons import plain

CHECKS: tuple[Check, ...] = (
    cluster,
    services,
    platform,
    programs,
    replaced_files,
    kernel,
    packages,
    dists,
    python_files,
    managed_files,
    unit_files,
    packaged_files,
)


def compare(expected: HostExpectation, facts: HostFacts | Unreachable) -> list[Finding]:
    """Every finding about one host; about one that cannot be reached there is exactly one."""
    if isinstance(facts, Unreachable):
        found, action = plain(facts.reason)
        return [
            Finding(
                component=expected.host.name,
                kind="unreachable",
                expected="answers",
                found=found,
                action=action,
            )
        ]
    return [finding for check in CHECKS for finding in check(expected, facts)]
