"""`rollout apply`: from what a site is to the release, as a plan that a person has seen says."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rollout import clock
from rollout.apply import before, environment, heal, orphans
from rollout.apply.journal import Journal
from rollout.apply.play import Stopped
from rollout.apply.ports import Ports
from rollout.apply.previous import previous
from rollout.apply.record import load_record
from rollout.apply.show import Show
from rollout.apply.side_by_side import SideBySide
from rollout.apply.signals import stoppable
from rollout.apply.site_run import SiteRun, Task
from rollout.audit import build as builds
from rollout.audit.build import Build
from rollout.errors import ApplyError, Exit, RolloutError, UnreachableError
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.plan import approved
from rollout.plan.model import Plan, SitePlan
from rollout.release.sign import Keyring
from rollout.waves import gates
from rollout.waves.gates import Seen
from rollout.waves.log import WaveLog
from rollout.waves.plan import Wave, waves
from rollout.waves.policy import Policy
from rollout.waves.walk import May, Walk, refuse_outside

_KEPT_RUNS = 50


@dataclass(frozen=True)
class Options:
    """How to apply."""

    yes: bool = False  # whatever the plan says was agreed to beforehand
    check: bool = False  # only say what Ansible would change
    converge: bool = False  # every step, even where nothing is to do
    rollback: bool = False  # an older serial is wanted
    parallel: int = 4  # sites at a time
    orphan_wait: float = orphans.WAIT_SECONDS
    heal_wait: float = heal.WAIT_SECONDS
    wait_window: bool = False  # for the window of waves.yml to open
    outside: str = ""  # why it is done outside that window
    auto_rollback: bool = True  # when a gate shuts


@dataclass
class Result:
    """How it ended; ``recaps``: site → host → counts of what Ansible did."""

    exit: Exit
    plan: Plan | None = None
    run: str | None = None
    recaps: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


class MovedError(RolloutError):
    """Reality is not what the approved plan was made for; nothing was done."""

    exit_code = Exit.FINDINGS


@dataclass(frozen=True)
class Applicant:
    """One call of apply, for all its sites."""

    home: Home
    inventory: Inventory
    build: Build
    show: Show
    options: Options = field(default_factory=Options)
    ports: Ports = field(default_factory=Ports)
    policy: Policy = field(default_factory=Policy)

    def apply(self, sites: list[Site], agree: Callable[[Plan], bool], wanted: Plan | None = None) -> Result:
        """Tidies up, plans, asks, and does it.

        Args:
            sites: to bring to the release.
            agree: shows the plan and says whether to go on; not called when there is nothing to do.
            wanted: a plan that was approved before; anything else is refused.

        Raises:
            UnreachableError: a host does not answer; nothing was begun.
            MovedError: ``wanted`` is no longer what would be done.
            WindowError: nothing may begin now.
            HeldError, ApplyError: a site failed; its neighbours went on.
        """
        watched = not (self.options.check or self.options.rollback)
        if watched:
            options = self.options
            refuse_outside(self.policy, clock.now(), wait=options.wait_window, outside=options.outside)
        with Journal(self.home.journal) as journal:
            for site in sites:
                waits = {"orphan_wait": self.options.orphan_wait, "heal_wait": self.options.heal_wait}
                before.tidy(self.home, journal, site, self.show, self.ports, **waits)
            plan = self._plan(sites)
            self._compare(wanted, plan)
            self._reachable(plan)
            forced = self.options.check or self.options.converge
            names = [site.name for site in sites] if forced else plan.changing
            if not names:
                return Result(Exit.OK, plan)
            if not agree(plan):
                return Result(Exit.FINDINGS, plan)
            self.ports.verify(self.build.folder, self.ports.public_key(self.home))
            chosen = [site for site in sites if site.name in names]
            policy = self.policy if watched else Policy()
            # Sites with nothing to do count, too: they may not have been watched to the end.
            ways = waves(policy, sites if watched else chosen, list(self.inventory.sites))
            return self._run(journal, chosen, plan, ways)

    def _plan(self, sites: list[Site]) -> Plan:
        rollback = self.options.rollback
        return self.ports.make(self.home, self.inventory, sites, self.build, rollback=rollback).plan

    @staticmethod
    def _compare(wanted: Plan | None, now: Plan) -> None:
        changes = approved.moved(wanted, now) if wanted else []
        if changes:
            raise MovedError(
                "the approved plan no longer holds:\n  " + "\n  ".join(changes),
                "Nothing was done. Make and approve a new plan: rollout plan RELEASE --out FILE",
            )

    @staticmethod
    def _reachable(plan: Plan) -> None:
        reasons = [f"{s.site}: {reason}" for s in plan.sites if s.state == "blocked" for reason in s.reasons]
        if reasons:
            raise UnreachableError(
                "nothing was begun:\n  " + "\n  ".join(reasons),
                "Bring the host back (power, network, SSH), or name only the other sites with --site.",
            )

    def _run(self, journal: Journal, sites: list[Site], plan: Plan, ways: list[Wave]) -> Result:
        manifest = self.build.manifest
        verb = "check" if self.options.check else "rollback" if self.options.rollback else "apply"
        names = [site.name for site in sites]
        Keyring(self.home, "report").ensure()  # once, before several sites need it at the same time
        run = journal.begin(verb, names, manifest.release, manifest.serial, self.build.sha256)
        log = WaveLog(journal)
        log.plan(run, ways)
        self.show.follow(journal, run)
        if self.options.outside:
            log.wish(run, "outside", self.options.outside)
        task = Task(
            home=self.home,
            inventory=self.inventory,
            build=self.build,
            journal=journal,
            run=run,
            show=self.show,
            stop=threading.Event(),
            ports=self.ports,
            check=self.options.check,
            rollback=self.options.rollback,
        )
        result = Result(Exit.OK, plan, run)
        try:
            with stoppable(task.stop):
                errors = self._walk(task, log).go(ways, Sites(self, task, sites, plan, result, log))
        except BaseException as error:
            journal.end(run, "failed", str(error) or type(error).__name__)
            raise
        finally:
            self._clean(run)
        if errors:
            stopped = all(isinstance(error, Stopped) for error in errors)
            journal.end(run, "stopped" if stopped else "failed", "\n".join(error.message for error in errors))
            raise _one(errors)
        journal.end(run, "done")
        return result

    def _walk(self, task: Task, log: WaveLog) -> Walk:
        options = self.options
        return Walk(
            policy=Policy() if options.check or options.rollback else self.policy,
            log=log,
            run=task.run,
            say=self.show.say,
            stop=task.stop,
            wait_window=options.wait_window,
            outside=options.outside,
            auto_rollback=options.auto_rollback,
        )

    def roll_back(self, journal: Journal, site: Site) -> str:
        """A site back to the build that it ran before, in a run of its own; that build's name."""
        name = previous(journal, site, load_record(self.home, site.name))
        options = replace(self.options, yes=True, rollback=True, check=False, converge=False)
        other = replace(self, build=builds.load(self.home, name), options=options)
        plan = other._plan([site])
        other._reachable(plan)
        other._run(journal, [site], plan, waves(Policy(), [site], [site.name]))
        return name

    def one(self, task: Task, site: Site, plan: Plan, result: Result) -> None:
        """One site, under its lease, after a second look."""
        shown = next(one for one in plan.sites if one.site == site.name)
        site_run = SiteRun(task, site, shown)
        try:
            if self.options.check:
                site_run.check()
                return
            with site_run.lease.held(task.run) as taken:
                if taken.before:
                    self.show.say(
                        f"{site.name}: took over the lease of run {taken.before.run}, whose process is gone"
                    )
                site_run.plan = self._again(plan, shown, site)
                site_run.apply()
        except UnreachableError as error:
            raise ApplyError(error.message, error.hint) from error
        finally:
            result.recaps[site.name] = site_run.recap

    def _again(self, plan: Plan, shown: SitePlan, site: Site) -> SitePlan:
        """Between the audit and the lease somebody else may have been at the site, so it is planned anew.

        What a person read and approved must still hold. With --yes the new plan counts, but no package is
        removed that was not shown.
        """
        fresh = self._plan([site])
        if not self.options.yes:
            self._compare(plan.model_copy(update={"sites": [shown]}), fresh)
        self._reachable(fresh)
        named = {host.host: set(host.remove) for host in shown.hosts}
        hosts = [
            host.model_copy(update={"remove": [name for name in host.remove if name in named[host.host]]})
            for host in fresh.sites[0].hosts
        ]
        return fresh.sites[0].model_copy(update={"hosts": hosts})

    def _clean(self, run: str) -> None:
        shutil.rmtree(environment.control_folder(self.home, run), ignore_errors=True)
        shutil.rmtree(self.home.runs / run / "tmp", ignore_errors=True)
        for old in sorted(self.home.runs.iterdir())[:-_KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Sites:
    """The sites of one run, as the walk over the waves sees them."""

    applicant: Applicant
    task: Task
    chosen: list[Site]
    plan: Plan
    result: Result
    log: WaveLog

    def apply(self, wave: Wave, may_begin: Callable[[], May]) -> list[RolloutError]:
        """Those of the wave that have something to do."""
        applicant, task = self.applicant, self.task
        side_by_side = SideBySide(
            do=lambda site: applicant.one(task, site, self.plan, self.result),
            parallel=applicant.options.parallel,
            may_begin=may_begin,
            stop=task.stop,
            say=task.show.say,
        )
        return side_by_side.run([site for site in wave.sites if site in self.chosen])

    def settled(self, wave: Wave) -> bool:
        """Nothing to do, and nothing left to watch."""
        if any(site in self.chosen for site in wave.sites):
            return False
        return not wave.soak or set(wave.names) <= self.log.passed(self.applicant.build.sha256)

    def look(self, site: Site) -> Seen:
        """How its hosts are."""
        ports, home = self.task.ports, self.task.home
        return gates.look(site, {host.name: ports.connect(host, home) for host in site.hosts.values()})

    def roll_back(self, site: Site) -> str:
        """In a run of its own."""
        return self.applicant.roll_back(self.task.journal, site)


def converge(applicant: Applicant, site: Site) -> dict[str, dict[str, int]]:
    """Every step at one site without a question, changed or not; host → counts of what Ansible did."""
    forced = replace(applicant, options=replace(applicant.options, converge=True))
    return forced.apply([site], lambda _: True).recaps[site.name]


def _one(errors: list[RolloutError]) -> RolloutError:
    if len(errors) == 1:
        return errors[0]
    text = "\n".join(error.message for error in errors)
    return ApplyError(text, " ".join(dict.fromkeys(error.hint for error in errors if error.hint)))
