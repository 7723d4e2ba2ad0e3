"""A secret renewed at a site: vault, database, then all that uses it, one minicomputer after the other.

Nothing is cut off meanwhile. A new password of the application's role counts for new connections only, and
each process has connections; then each drains and starts anew with the new one, while the other answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from rollout.apply.journal import Journal, Outcome, opened
from rollout.apply.ports import Ports
from rollout.apply.record import load_record
from rollout.apply.remote import Remote, ask
from rollout.apply.run import Applicant, Options
from rollout.apply.show import Show
from rollout.audit import build as builds
from rollout.errors import ApplyError, ConfigurationError, UnreachableError
from rollout.glass.scram import verifier
from rollout.inventory import Host, Inventory, Site
from rollout.paths import Home
from rollout.secrets import rotation

# Roles that the playbooks do not give their password to once the cluster is made.
ROLES = {
    "postgres_superuser": "postgres",
    "postgres_replication": "replicator",
    "postgres_rewind": "rewinder",
}
STEPS = 3


@dataclass(frozen=True)
class Rotator:
    """Renews ``name`` at sites, one after the other: a value that does not work is not spread."""

    home: Home
    inventory: Inventory
    name: str
    show: Show
    connect: Callable[[Host], Remote]
    ports: Ports = field(default_factory=Ports)

    def at(self, site: Site) -> str:
        """Does it, or goes on with what a killed run began; what was done.

        Raises:
            ConfigurationError: no apply ended well there yet, or another secret is being renewed there.
            ApplyError, UnreachableError: it is not done; the same call goes on from there.
        """
        build = self._build(site)
        with opened(self.home.journal) as journal:
            run = journal.begin(f"glass rotate {self.name}", [site.name])
            try:
                said = self._steps(journal, run, site, build)
            except BaseException as error:
                journal.end(run, "failed", str(error) or type(error).__name__)
                raise
            journal.end(run, "done", said)
        return said

    def _steps(self, journal: Journal, run: str, site: Site, build: builds.Build) -> str:
        with _Step(journal, run, site, 1, "vault") as step:
            _, again = rotation.begin(self.home, site.name, self.name)
            step.detail = "goes on with the new value of a run that was stopped" if again else "a new value"
        with _Step(journal, run, site, 2, "database") as step:
            step.detail = self._database(site)
        with _Step(journal, run, site, 3, "converge") as step:
            options = Options(yes=True, converge=True)
            applicant = Applicant(self.home, self.inventory, build, self.show, options, self.ports)
            step.detail = f"run {applicant.apply([site], lambda _: True).run}"
            rotation.finish(self.home, site.name)
        return f"{site.name}: {self.name} is new ({step.detail})"

    def _database(self, site: Site) -> str:
        role = ROLES.get(self.name)
        if role is None:
            return "nothing to do before the playbooks"
        going_on = rotation.going_on(self.home, site.name)
        if going_on is None:
            raise ApplyError(f"{site.name}: the rotation is gone from its folder")
        question = {"role": role, "verifier": verifier(going_on.new)}
        said: list[str] = []
        for host in site.minicomputers:
            try:
                found = ask(self.connect(host), "password", question, package="rollout.glass.hostside")
            except UnreachableError as error:
                said.append(error.message)
                continue
            if found["primary"] and found["code"] == 0:
                return f"{role} through {host.name}"
            said.append(f"{host.name}: {found['said'] or 'not the primary'}")
        raise ApplyError(f"{site.name}: no primary took {role}'s new password: {'; '.join(said)}")

    def _build(self, site: Site) -> builds.Build:
        record = load_record(self.home, site.name)
        if record is None:
            raise ConfigurationError(f"{site.name}: no apply ended well there yet", "Apply first.")
        return builds.load(self.home, f"{record.release}-{record.serial}")


@dataclass
class _Step:
    """A step in the journal, written before and after."""

    journal: Journal
    run: str
    site: Site
    number: int
    name: str
    detail: str = ""

    def __enter__(self) -> Self:
        self.journal.begin_step(self.run, self.site.name, self.number, STEPS, self.name)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        outcome: Outcome = "failed" if error else "done"
        said = str(error) if error else self.detail
        self.journal.end_step(self.run, self.site.name, self.number, outcome, said)
