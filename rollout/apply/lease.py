"""One applicant at a time per site: a lease on the site's ``s``, wherever the applicants are."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from rollout.access import scope
from rollout.apply import processes
from rollout.apply.history import History
from rollout.apply.journal import Journal
from rollout.apply.processes import Process
from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError, HeldError, UnreachableError
from rollout.files import locked, write
from rollout.paths import Home

FOLDER = "/var/lib/rollout"


class Lease(BaseModel):
    """``lease.json``: who may change the site now."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    site: str
    run: str
    who: str = "nobody known"
    from_host: str = "nowhere known"
    node: str = ""  # the control node's random identity, kept in its home
    pid: int = 0
    pid_start: str = ""
    taken_at: datetime | None = None

    def of_the_dead(self, node: str) -> bool:
        """Whether its holder was a process of this control node that is gone."""
        here = self.node == node and self.from_host == processes.machine()
        return here and not Process(self.pid, self.pid_start).alive()

    def holder(self) -> str:
        """Who holds it, for people."""
        since = f"{self.taken_at.astimezone():%Y-%m-%d %H:%M:%S %z}" if self.taken_at else "an unknown time"
        return f"{self.who} on {self.from_host} since {since} (run {self.run})"


@dataclass(frozen=True)
class Taken:
    """A lease that is ours; ``before`` is the one of a dead run that it took over."""

    lease: Lease
    before: Lease | None


class LeaseKeeper:
    """The lease of one site, seen from this control node."""

    def __init__(self, home: Home, site: str, storage: Remote, folder: str = FOLDER) -> None:
        self.site = site
        self.node = node_id(home)
        self._who = scope.who(home.root)
        self._storage = storage
        self._journal = home.journal
        self._folder = folder

    def read(self) -> Lease | None:
        """Who holds it."""
        return self._ask("read")[1]

    def take(self, run: str) -> Taken:
        """Takes it for ``run``; HeldError if somebody alive, or out of sight, holds it."""
        process = processes.me()
        lease = Lease(
            site=self.site,
            run=run,
            who=self._who,
            from_host=processes.machine(),
            node=self.node,
            pid=process.pid,
            pid_start=process.start,
            taken_at=datetime.now().astimezone(),
        )
        done, there = self._ask("take", None, lease)
        if done:
            return Taken(lease, None)
        if there and there.of_the_dead(self.node):
            before = there
            # Exchanged for exactly the dead run's lease: of two that saw it, one wins.
            done, there = self._ask("take", before.run, lease)
            if done:
                return Taken(lease, before)
        raise held(there) if there else ApplyError(f"{self.site}: the lease changed hands; try again")

    def release(self, run: str) -> bool:
        """Gives it back; False if it was no longer ``run``'s."""
        return self._ask("release", run)[0]

    def remove(self) -> bool:
        """Removes it, whoever holds it: `rollout unlock`. False if there was none."""
        return self._ask("remove")[0]

    def check(self, run: str) -> None:
        """Raises ApplyError unless ``run`` still holds it: somebody may have unlocked the site meanwhile."""
        there = self.read()
        if there is None or there.run != run:
            now = f"{there.holder()} holds it now" if there else "it was unlocked"
            raise ApplyError(
                f"{self.site}: this run lost its lease: {now}", "Look at `rollout status` first."
            )

    @contextmanager
    def held(self, run: str) -> Iterator[Taken]:
        """Holds it for a block, whose ends the site's own list of runs knows.

        If ``s`` is out of reach at the end the lease stays; our next run takes it over.
        """
        taken = self.take(run)
        history = self._history(run)
        try:
            if history:
                history.begin()
            try:
                yield taken
            except BaseException as error:
                if history:
                    history.end(error)
                raise
            if history:
                history.end()
        finally:
            with suppress(UnreachableError, ApplyError):
                self.release(run)

    def _history(self, run: str) -> History | None:
        """Where the site itself keeps what is done under its lease."""
        with Journal(self._journal) as journal:
            found = journal.run(run)
        return History(self._storage, self.site, found, self.node, self._folder) if found else None

    def _ask(
        self, verb: str, expected: str | None = None, lease: Lease | None = None
    ) -> tuple[bool, Lease | None]:
        question = {
            "verb": verb,
            "folder": self._folder,
            "expected": expected,
            "lease": lease.model_dump(mode="json") if lease else None,
        }
        answer = ask(self._storage, "lease", question)
        there = answer["lease"]
        return answer["done"], Lease.model_validate({"site": self.site, **there}) if there else None


def held(lease: Lease) -> HeldError:
    """The refusal that names the holder and the way out."""
    return HeldError(
        f"{lease.site}: held by {lease.holder()}",
        f"Wait until it is done. If that run is gone for good, on that machine too: "
        f"rollout unlock --site {lease.site} --reason TEXT",
    )


def node_id(home: Home) -> str:
    """The random identity of this control node; never part of `state export`."""
    home.root.mkdir(parents=True, exist_ok=True)
    file = home.root / "node"
    if not file.exists():
        with locked(home.root):
            if not file.exists():
                write(file, secrets.token_hex(8).encode() + b"\n", 0o644)
    return file.read_text().strip()
