"""`rollout apply`: from what a site is to the release, as a plan that a person has seen says."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from rollout.apply import before, environment, heal, order, orphans
from rollout.apply.journal import Journal
from rollout.apply.play import Stopped
from rollout.apply.ports import Ports
from rollout.apply.show import Show
from rollout.apply.signals import stoppable
from rollout.apply.site_run import SiteRun, Task
from rollout.audit.build import Build
from rollout.errors import ApplyError, Exit, RolloutError, UnreachableError
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.plan import approved
from rollout.plan.model import Plan, SitePlan
from rollout.release.sign import Keyring

_KEPT_RUNS = 50
_POLL = 0.2


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

    def apply(self, sites: list[Site], agree: Callable[[Plan], bool], wanted: Plan | None = None) -> Result:
        """Tidies up, plans, asks, and does it.

        Args:
            sites: to bring to the release.
            agree: shows the plan and says whether to go on; not called when there is nothing to do.
            wanted: a plan that was approved before; anything else is refused.

        Raises:
            UnreachableError: a host does not answer; nothing was begun.
            MovedError: ``wanted`` is no longer what would be done.
            HeldError, ApplyError: a site failed; its neighbours went on.
        """
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
            return self._run(journal, chosen, plan)

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

    def _run(self, journal: Journal, sites: list[Site], plan: Plan) -> Result:
        manifest = self.build.manifest
        verb = "check" if self.options.check else "rollback" if self.options.rollback else "apply"
        names = [site.name for site in sites]
        Keyring(self.home, "report").ensure()  # once, before several sites need it at the same time
        run = journal.begin(verb, names, manifest.release, manifest.serial, self.build.sha256)
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
                errors = self._all(task, sites, plan, result)
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

    def _all(self, task: Task, sites: list[Site], plan: Plan, result: Result) -> list[RolloutError]:
        errors: list[RolloutError] = []
        for group in order.groups(sites):
            if errors or task.stop.is_set():
                self.show.say(f"not begun: {', '.join(site.name for site in group)}")
                continue
            errors += self._group(task, group, plan, result)
        if task.stop.is_set() and not errors:
            errors.append(Stopped("stopped on request", "The next apply goes on from here."))
        return errors

    def _group(self, task: Task, group: list[Site], plan: Plan, result: Result) -> list[RolloutError]:
        """Several sites at a time. One that fails keeps those from beginning that have not begun."""
        waiting, running = list(group), dict[Future[None], Site]()
        errors: list[RolloutError] = []
        with ThreadPoolExecutor(self.options.parallel) as pool:
            while running or (waiting and not errors and not task.stop.is_set()):
                while (
                    waiting and len(running) < self.options.parallel and not errors and not task.stop.is_set()
                ):
                    site = waiting.pop(0)
                    running[pool.submit(self._site, task, site, plan, result)] = site
                for future in wait(running, _POLL, FIRST_COMPLETED).done:
                    site = running.pop(future)
                    error = future.exception()
                    if isinstance(error, RolloutError):
                        errors.append(error)
                        if running or waiting:  # the others take their time; the rest is said at the end
                            self.show.say(error.message)
                    elif error:
                        task.stop.set()
                        raise error
        if waiting:
            self.show.say(f"not begun: {', '.join(site.name for site in waiting)}")
        return errors

    def _site(self, task: Task, site: Site, plan: Plan, result: Result) -> None:
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


def converge(applicant: Applicant, site: Site) -> dict[str, dict[str, int]]:
    """Every step at one site without a question, changed or not; host → counts of what Ansible did."""
    forced = replace(applicant, options=replace(applicant.options, converge=True))
    return forced.apply([site], lambda _: True).recaps[site.name]


def _one(errors: list[RolloutError]) -> RolloutError:
    if len(errors) == 1:
        return errors[0]
    text = "\n".join(error.message for error in errors)
    return ApplyError(text, " ".join(dict.fromkeys(error.hint for error in errors if error.hint)))
