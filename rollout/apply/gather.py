"""From what a run managed to what is on the hosts: the content of the site's record."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rollout.apply.managed import Managed
from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError
from rollout.record import HostRecord, ManagedFile

_SECONDS = 120
# States of a unit that lasts, and of one that comes and goes.
_FINE = {True: {"active"}, False: {"active", "activating", "inactive"}}


def gather(remotes: Mapping[str, Remote], managed: Mapping[str, Managed]) -> dict[str, HostRecord]:
    """The record of every host in ``remotes``. ApplyError names everything that is not as the run left it."""
    with ThreadPoolExecutor(max_workers=max(1, len(remotes))) as pool:
        jobs = {
            host: pool.submit(_ask, remote, managed.get(host, Managed())) for host, remote in remotes.items()
        }
        answers = {host: job.result() for host, job in jobs.items()}
    problems = [
        f"{host}: {problem}"
        for host, answer in answers.items()
        for problem in _problems(answer, managed.get(host, Managed()))
    ]
    if problems:
        raise ApplyError(
            "not everything is as this run left it:\n  " + "\n  ".join(problems),
            "Somebody or something else changes these; find out who, then run apply again.",
        )
    return {host: _record(answer, managed.get(host, Managed())) for host, answer in answers.items()}


def _ask(remote: Remote, managed: Managed) -> dict[str, Any]:
    question = {
        "paths": sorted(managed.files),
        "patterns": sorted(managed.patterns),
        "sha1": sorted(path for path, sha1 in managed.files.items() if sha1),
        "units": sorted(managed.services),
    }
    answer: dict[str, Any] = ask(remote, "gather", question, _SECONDS, needs=["rollout.audit.probes.files"])
    return answer


def _problems(answer: dict[str, Any], managed: Managed) -> list[str]:
    files = answer["files"]
    problems = [f"{path}: it was written, and is gone" for path in managed.files if files[path] is None]
    problems += [
        f"{path}: its content changed after it was written"
        for path, sha1 in managed.files.items()
        if sha1 and files[path] is not None and answer["sha1"][path] != sha1
    ]
    problems += [
        f"{path}: {found.get('error') or 'neither a file, a link nor a folder'}"
        for path, found in files.items()
        if found and found["type"] == "other"
    ]
    return problems + [
        f"{unit}: it was started, and is {state['active']}"
        for unit, state in answer["units"].items()
        if state["active"] not in _FINE[state["lasts"]]
    ]


def _record(answer: dict[str, Any], managed: Managed) -> HostRecord:
    files = {path: ManagedFile(**found) for path, found in answer["files"].items() if found}
    lasting = {unit for unit, state in answer["units"].items() if state["lasts"]}
    services = {unit: enabled for unit, enabled in sorted(managed.services.items()) if unit in lasting}
    return HostRecord(files=files, services=services)
