"""Every file of the platform's environment against the depot's wheels; what no wheel lists is extra."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from rollout.audit import actions
from rollout.audit.checks import bounded, unseen
from rollout.audit.checks.dists import ENVIRONMENT, dists
from rollout.audit.expect import Environment as Expected
from rollout.audit.expect import HostExpectation
from rollout.audit.facts import Environment, HostFacts, ProbeError
from rollout.audit.findings import Finding
from rollout.release.wheels import normalised

_GENERATED = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
_PIP = hashlib.sha256(b"pip\n").hexdigest()
# Outside site-packages: what belongs to nobody's import path, and the link that every environment has.
_HARMLESS = ("share/", "include/")
_LIB64 = ("lib64", "-> lib")


def python_files(expected: HostExpectation, facts: HostFacts) -> list[Finding]:
    """Modified, missing and extra files, named by their path in site-packages.

    Those of a dist that has a finding itself go without saying.
    """
    if facts.venv is None:
        return []
    if isinstance(facts.venv, ProbeError):
        return [unseen(ENVIRONMENT, facts.venv)]
    venv, environment = facts.venv, expected.environment
    prefix = f"{venv.site_packages}/"
    files = {p.removeprefix(prefix): d for p, d in venv.files.items() if p.startswith(prefix)}
    differing = {finding.component for finding in dists(expected, facts)}
    return [
        *bounded(_changed(environment, files, differing), "changed files"),
        *bounded(_extra(venv, environment, files, differing), "files that no wheel has"),
        *bounded(_outside(expected, venv, prefix), "files that nothing lists"),
    ]


def _changed(environment: Expected, files: dict[str, str], differing: set[str]) -> Iterator[Finding]:
    for path, sha256 in sorted(environment.all_files.items()):
        found = files.get(path)
        if found != sha256 and environment.owner[path] not in differing:
            yield Finding(
                component=path,
                kind="missing" if found is None else "modified",
                expected=f"{sha256[:12]} of {environment.owner[path]}",
                found="not there" if found is None else found[:200] if found.startswith("->") else found[:12],
                action=actions.REBUILD,
            )


def _extra(
    venv: Environment, environment: Expected, files: dict[str, str], differing: set[str]
) -> Iterator[Finding]:
    expected = environment.all_files
    known = _folders(expected)
    # What a dist of another version brought into its own packages is part of that dist's finding.
    explained = {
        p.split("/", 1)[0] for p, dist in environment.owner.items() if dist in differing and "/" in p
    }
    explained |= {
        folder for name, _, folder in venv.dists if normalised(name or folder) not in environment.wheels
    }
    unknown = Counter(
        _topmost(path, known)
        for path, sha256 in files.items()
        if path not in expected
        and not _generated(path, sha256, known)
        and path.split("/", 1)[0] not in explained
    )
    for path, count in sorted(unknown.items()):
        yield Finding(
            component=path,
            kind="extra",
            expected="in no wheel of the release",
            found=f"{count} files" if path.endswith("/") else files[path][:12],
            action=actions.REBUILD,
        )


def _outside(expected: HostExpectation, venv: Environment, prefix: str) -> Iterator[Finding]:
    if expected.record is None:
        return
    for path, found in sorted(venv.files.items()):
        listed = path.startswith((prefix, *_HARMLESS)) or (path, found) == _LIB64
        if not listed and f"{venv.root}/{path}" not in expected.files:
            yield Finding(
                component=f"{venv.root}/{path}",
                kind="extra",
                expected="written by no role",
                found=found[:12],
                action=actions.REBUILD,
            )


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder above ``paths``, each ended by a slash."""
    found: set[str] = set()
    for path in paths:
        head = path.rpartition("/")[0]
        while head and f"{head}/" not in found:
            found.add(f"{head}/")
            head = head.rpartition("/")[0]
    return found


def _topmost(path: str, known: set[str]) -> str:
    """The first folder on the way to ``path`` that no wheel has; else the path itself."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth]) + "/"
        if folder not in known:
            return folder
    return path


def _generated(path: str, sha256: str, known: set[str]) -> bool:
    """Whether an installer leaves this file in the metadata of a dist that belongs here."""
    folder, _, name = path.rpartition("/")
    if not folder.endswith(".dist-info") or f"{folder}/" not in known or name not in _GENERATED:
        return False
    return name != "INSTALLER" or sha256 == _PIP
