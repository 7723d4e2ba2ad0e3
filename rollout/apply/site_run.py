"""One run at one site: its steps, each journalled before and after, under the site's lease."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rollout import __version__, clock, secrets
from rollout.access import authorized
from rollout.apply import heal, killpoint, managed, record, show
from rollout.apply.child import Work
from rollout.apply.gather import gather
from rollout.apply.journal import Journal
from rollout.apply.journal import Outcome as JournalOutcome
from rollout.apply.lease import LeaseKeeper
from rollout.apply.play import Outcome, Stopped, last_words
from rollout.apply.plays import Play, plays
from rollout.apply.ports import Ports
from rollout.apply.scrub import Scrubber
from rollout.apply.variables import release_variables
from rollout.audit import history
from rollout.audit.build import Build
from rollout.audit.findings import Finding
from rollout.depot.remote import Remote as Channel
from rollout.errors import ApplyError, RolloutError
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.plan.inputs import input_sha256
from rollout.plan.model import SitePlan
from rollout.record import SiteRecord

_ATTEMPTS = 4
_BETWEEN_SECONDS = 3.0
_SHOWN = 12
_AGAIN = "Nothing is lost: running apply again goes on from what is there."


@dataclass(frozen=True)
class Task:
    """What is to be done, the same for every site of a run."""

    home: Home
    inventory: Inventory
    build: Build
    journal: Journal
    run: str
    show: show.Show
    stop: threading.Event
    ports: Ports
    check: bool = False
    rollback: bool = False


@dataclass
class SiteRun:
    """The steps of one site, as its approved plan says."""

    task: Task
    site: Site
    plan: SitePlan
    recap: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder: Path = self.task.home.runs / self.task.run / self.site.name
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.managed = self.folder / "managed.jsonl"
        connect = self.task.ports.connect
        self.remotes: dict[str, Channel] = {
            host.name: connect(host, self.task.home) for host in self.site.hosts.values()
        }
        self.storage = self.remotes[self.site.storage.name]
        self.lease = LeaseKeeper(self.task.home, self.site.name, self.storage)
        self._input = ""
        self._record: SiteRecord | None = None

    def apply(self) -> None:
        """Every step; the caller holds the lease. ApplyError names step, host, task and what to do."""
        arguments = self._prepare()
        steps: list[tuple[str, Callable[[], str | None]]] = []
        if any(host.heal for host in self.plan.hosts):
            steps.append(("heal", self._heal))
        steps += [("push depot", self._push)]
        steps += [(play.name, self._play(play, arguments)) for play in self._plays()]
        steps += [("audit", self._audit), ("record", self._keep)]
        for number, (name, do) in enumerate(steps, 1):
            self._step(number, len(steps), name, do)

    def confirm(self) -> None:
        """Takes away what older versions need; the caller holds the lease and has asked."""
        play = Play("contract", "playbooks/confirm.yml", "What older versions need goes")
        self._step(1, 1, play.name, self._play(play, self._prepare()))

    def check(self) -> None:
        """The playbooks in Ansible's check mode: nothing changes; nothing is leased, pushed or recorded."""
        arguments = [*self._prepare(), "--check"]
        found = self._plays()
        for number, play in enumerate(found, 1):
            self.task.show.begin(self.site.name, number, len(found), play.name)
            self._play(play, arguments)()
            self.task.show.end(self.site.name, "done")

    def _plays(self) -> list[Play]:
        return plays(self.task.ports.content())

    def _prepare(self) -> list[str]:
        """Secrets, the digest of all inputs, and the release's variables: what the playbooks are given."""
        task, build = self.task, self.task.build
        kept = secrets.ensure(task.home, self.site)
        self._scrubber = Scrubber(kept.values)
        keys = authorized.lines(task.home, self.site.name)
        authorized.refuse_lockout(task.home, self.site.name)
        self._input = input_sha256(
            build.sha256, self.site, task.inventory, task.ports.content(), kept.digest, keys=keys
        )
        variables = release_variables(
            build.manifest,
            self.site,
            task.ports.public_key(task.home),
            {host.host: host.remove for host in self.plan.hosts},
            manifest_sha256=build.sha256,
            rollback=task.rollback,
        )
        file = self.folder / "release.json"
        if keys:
            variables["access__keys"] = keys
        file.write_text(json.dumps(variables, indent=1))
        return [*kept.arguments(), "-e", f"@{file}"]

    def _step(self, number: int, of: int, name: str, do: Callable[[], str | None]) -> None:
        task, site = self.task, self.site.name
        task.journal.begin_step(task.run, site, number, of, name)
        task.show.begin(site, number, of, name)
        try:
            self._may_go_on()
            killpoint.reached(site, name, "before")
            detail = do()
        except BaseException as error:
            stopped = task.stop.is_set() or isinstance(error, Stopped)
            outcome: JournalOutcome = "stopped" if stopped else "failed"
            task.journal.end_step(task.run, site, number, outcome, str(error) or type(error).__name__)
            task.show.end(site, outcome)
            if stopped and not isinstance(error, Stopped):
                raise Stopped(f"{site}: stopped on request", _AGAIN) from error
            if isinstance(error, RolloutError):
                raise self._failed(number, of, name, error) from error
            raise
        task.journal.end_step(task.run, site, number, "done", detail)
        task.show.end(site, "done")
        killpoint.reached(site, name, "after")

    def _may_go_on(self) -> None:
        if self.task.stop.is_set():
            raise Stopped(f"{self.site.name}: stopped on request", _AGAIN)
        self.lease.check(self.task.run)

    def _failed(self, number: int, of: int, name: str, error: RolloutError) -> ApplyError:
        if isinstance(error, Stopped):
            return error
        text = f"{self.site.name}: step {number} of {of} ({name}) failed\n  {error.message}"
        return ApplyError(text, " ".join(part for part in (error.hint, _AGAIN) if part))

    def _heal(self) -> None:
        """Finishes what dpkg was left with, by whomever: no package step could begin."""
        heal.heal(self.remotes, self.task.show.say)

    def _push(self) -> str | None:
        def progress(done: int, total: int) -> None:
            percent = 100 * done // total if total else 100
            event = {"event": "push", "name": f"{done >> 20} of {total >> 20} MiB ({percent} %)"}
            self.task.show.event(self.site.name, event)

        build = self.task.build
        self.task.ports.push(build.folder, build.manifest, self.storage, progress=progress)
        return build.manifest.build

    def _play(self, play: Play, arguments: list[str]) -> Callable[[], str | None]:
        def run() -> str:
            task = self.task
            player = task.ports.player(task.home, task.journal, task.run, self.site.name, task.stop)
            work = Work(
                folder=self.folder / Path(play.playbook).stem,
                project=task.ports.content(),
                playbook=play.playbook,
                inventory=Path(task.inventory.path).resolve(),
                limit=self.site.name,
                arguments=arguments,
            )
            managed_file = None if "--check" in arguments else self.managed
            try:
                outcome = player.play(work, managed_file, lambda event: self._watch(play, event))
            finally:
                self._scrubber.folder(work.folder)
            show.add(self.recap, outcome.recap)
            if outcome.rc:
                raise ApplyError(self._scrubber.text(_why(outcome, work.folder)))
            return _counts(outcome)

        return run

    def _watch(self, play: Play, event: show.Event) -> None:
        self.task.show.event(self.site.name, event)
        if event["event"] == "ok":
            killpoint.reached(self.site.name, play.name, "during")

    def _audit(self) -> str:
        """The candidate record from what is on the hosts, and an audit against it that must be uniform."""
        task = self.task
        self._record = SiteRecord(
            site=self.site.name,
            release=task.build.manifest.release,
            serial=task.build.manifest.serial,
            manifest_sha256=task.build.sha256,
            input_sha256=self._input,
            rollout_version=__version__,
            applied_at=clock.now(),
            run=task.run,
            hosts=gather(self.remotes, managed.read(self.managed)),
        )
        candidate = record.Candidate(task.home, self.folder / "records")
        record.save(candidate, self._record)
        for attempt in range(_ATTEMPTS):
            report = task.ports.look(candidate, task.inventory, [self.site], task.build).report
            findings = [(h.host, f) for h in report.hosts for f in h.findings if f.kind != "waived"]
            if report.uniform:
                history.keep(task.home, report)
                return f"uniform: {sum(sum(host.checked.values()) for host in report.hosts)} things checked"
            # Only what is still starting may become right by itself.
            if any(finding.kind != "not_running" for _, finding in findings) or attempt == _ATTEMPTS - 1:
                break
            time.sleep(_BETWEEN_SECONDS)
        raise ApplyError("the closing audit is not uniform:\n    " + "\n    ".join(_listed(findings)))

    def _keep(self) -> str | None:
        if self._record is None:
            raise ApplyError("there is no record to keep")
        # First the site's copy: when the local one is there, both are.
        candidate = record.Candidate(self.task.home, self.folder / "records")
        record.copy(candidate, self.site.name, self.storage)
        record.save(self.task.home, self._record)
        files = sum(len(host.files) for host in self._record.hosts.values())
        return f"{files} files"


def _why(outcome: Outcome, folder: Path) -> str:
    if not outcome.failures:
        return f"ansible-playbook ended with {outcome.rc}:\n{last_words(folder)}\n  log: {outcome.log}"
    lines = [
        f"{failure.host}: task “{failure.task}”: {failure.message}" for failure in outcome.failures.values()
    ]
    return "\n  ".join([*lines, f"log: {outcome.log}"])


def _counts(outcome: Outcome) -> str:
    changed = sum(counts["changed"] for counts in outcome.recap.values())
    return f"{sum(counts['ok'] for counts in outcome.recap.values())} ok, {changed} changed"


def _listed(findings: list[tuple[str, Finding]]) -> list[str]:
    lines = [
        f"{host}: {finding.component} {finding.kind}: {finding.found} (expected {finding.expected})"
        for host, finding in findings
    ]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN} more"]
