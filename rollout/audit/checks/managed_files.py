"""Every file that a role wrote against the checksum recorded when it was written."""

from rollout.audit import actions
from rollout.audit.checks import unseen
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, Path, ProbeError
from rollout.audit.findings import Finding
from rollout.record import ManagedFile


def managed_files(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """Modified and missing files; which of content, mode, owner or target differs is named."""
    if isinstance(facts.files, ProbeError):
        return [unseen("managed files", facts.files)]
    findings = []
    for path, wanted in sorted(expected.files.items()):
        finding = compare(path, wanted, facts.files.get(path), actions.REWRITE)
        if finding:
            findings.append(finding)
    return findings


def compare(path: str, wanted: ManagedFile, found: Path | None, action: str) -> Finding | None:
    """The finding about one path, if there is one."""
    if found is None:
        return Finding(component=path, kind="missing", expected=wanted.type, found="not there", action=action)
    differences = list(_differences(wanted, found))
    if not differences:
        return None
    return Finding(
        component=path,
        kind="modified",
        expected=", ".join(f"{what} {expected}" for what, expected, _ in differences),
        found=", ".join(f"{what} {there}" for what, _, there in differences),
        action=action,
    )


def _differences(wanted: ManagedFile, found: Path) -> list[tuple[str, str, str]]:
    if wanted.type != found.type:
        return [("type", wanted.type, found.error or found.type)]
    pairs = [
        ("content", (wanted.sha256 or "")[:12], (found.sha256 or "")[:12]),
        ("target", wanted.target or "", found.target or ""),
        ("owner", f"{wanted.owner}:{wanted.group}", f"{found.owner}:{found.group}"),
    ]
    if wanted.type != "link":  # a link's own mode means nothing
        pairs.append(("mode", wanted.mode, found.mode))
    skipped = {"content"} if wanted.sha256 is None else set()
    return [pair for pair in pairs if pair[1] != pair[2] and pair[0] not in skipped]
