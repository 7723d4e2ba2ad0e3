"""`rollout confirm`: a site keeps its release for good; what older versions needed is taken away."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rollout.apply import before
from rollout.apply.journal import Journal
from rollout.apply.ports import Ports
from rollout.apply.record import load_record
from rollout.apply.show import Show
from rollout.apply.signals import stoppable
from rollout.apply.site_run import SiteRun, Task
from rollout.audit import build as builds
from rollout.errors import ApplyError, ConfigurationError, Exit, RolloutError
from rollout.inventory import Inventory, Site
from rollout.paths import Home
from rollout.plan.model import SitePlan


class NotReadyError(RolloutError):
    """The site is not as its release wants it; nothing was taken away."""

    exit_code = Exit.FINDINGS


@dataclass(frozen=True)
class Confirmation:
    """One call of confirm."""

    home: Home
    inventory: Inventory
    show: Show
    ports: Ports

    def confirm(self, site: Site, agree: Callable[[list[str]], bool]) -> list[str]:
        """Asks, then lets the running release's contracting migrations take place.

        Args:
            site: whose release is there to stay.
            agree: shown what will go; not called when nothing waits.

        Returns:
            What went; empty when nothing waits, or when it was not agreed to.

        Raises:
            ConfigurationError: no apply ended well there yet.
            NotReadyError: the site is not uniform, or an apply has not come to its end.
            HeldError, UnreachableError, ApplyError: as of apply.
        """
        with Journal(self.home.journal) as journal:
            before.tidy(self.home, journal, site, self.show, self.ports)
            build = self._build(site)
            plan = self._plan(site, build)
            if not plan.points_of_no_return or not agree(plan.points_of_no_return):
                return []
            self._run(journal, site, build, plan)
            left = self._plan(site, build).points_of_no_return
            if left:
                raise ApplyError(f"{site.name}: still there: {', '.join(left)}", "Look at the run's log.")
            return plan.points_of_no_return

    def _build(self, site: Site) -> builds.Build:
        record = load_record(self.home, site.name)
        if record is None:
            raise ConfigurationError(
                f"{site.name}: no apply ended well there yet", "There is nothing to confirm before that."
            )
        return builds.load(self.home, f"{record.release}-{record.serial}")

    def _plan(self, site: Site, build: builds.Build) -> SitePlan:
        (plan,) = self.ports.make(self.home, self.inventory, [site], build).plan.sites
        if plan.state != "nothing":
            raise NotReadyError(
                f"{site.name}: not as {build.manifest.build} wants it: {'; '.join(plan.reasons)}",
                f"Apply first: rollout apply {build.manifest.build} --site {site.name}",
            )
        return plan

    def _run(self, journal: Journal, site: Site, build: builds.Build, plan: SitePlan) -> None:
        run = journal.begin("confirm", [site.name])
        task = Task(
            home=self.home,
            inventory=self.inventory,
            build=build,
            journal=journal,
            run=run,
            show=self.show,
            stop=threading.Event(),
            ports=self.ports,
        )
        site_run = SiteRun(task, site, plan)
        try:
            with stoppable(task.stop), site_run.lease.held(run):
                site_run.confirm()
        except BaseException as error:
            journal.end(run, "failed", str(error) or type(error).__name__)
            raise
        journal.end(run, "done")
