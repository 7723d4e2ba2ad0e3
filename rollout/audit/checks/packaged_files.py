"""``--deep``: the files of every package as in the depot's debs."""

from collections.abc import Iterator

from rollout.audit import actions
from rollout.audit.checks import bounded
from rollout.audit.checks.packages import packages
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import HostFacts, Path, ProbeError
from rollout.audit.findings import Finding

# dpkg leaves out or rewrites these on purpose (path-exclude, diversions, generated indices).
_OPTIONAL = (
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/locale/",
    "/usr/share/info/",
    "/usr/share/lintian/",
)


def packaged_files(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """Modified and missing files of packages that have the right version; a role's files are its own."""
    if expected.contents is None or isinstance(facts.files, ProbeError):
        return []
    differing = {finding.component for finding in packages(expected, facts)}
    return bounded(_changed(expected, facts.files, differing), "changed files of packages")


def _changed(
    expected: HostExpectation, found: dict[str, Path | None], differing: set[str]
) -> Iterator[Finding]:
    for name in sorted(set(expected.contents or {}) - differing):
        for path, wanted in sorted((expected.contents or {})[name].items()):
            there = found.get(path)
            if path in expected.files or (there is None and path.startswith(_OPTIONAL)):
                continue
            text = _text(there)
            if text != wanted:
                yield Finding(
                    component=path,
                    kind="missing" if there is None else "modified",
                    expected=f"{wanted if wanted.startswith('->') else wanted[:12]} of {name}",
                    found="not there" if there is None else text if text.startswith("->") else text[:12],
                    action=actions.REINSTALL,
                )


def _text(found: Path | None) -> str:
    if found is None:
        return ""
    if found.type == "link":
        return f"-> {found.target}"
    return found.sha256 or found.type
