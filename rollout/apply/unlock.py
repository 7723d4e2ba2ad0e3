"""`rollout unlock`: a person's decision that a lease's holder is gone for good."""

from rollout.apply.journal import Journal
from rollout.apply.lease import Lease, LeaseKeeper
from rollout.apply.orphans import refuse_running
from rollout.apply.remote import Remote
from rollout.depot.ssh import SshHost
from rollout.errors import ConfigurationError
from rollout.inventory import Site
from rollout.paths import Home


def unlock(home: Home, site: Site, reason: str, storage: Remote | None = None) -> str:
    """Removes the site's lease and journals why; says whose it was."""
    if not reason.strip():
        raise ConfigurationError("--reason: say why the lease may be removed")
    keeper = LeaseKeeper(home, site.name, storage or SshHost(site.storage, home))
    with Journal(home.journal) as journal:
        refuse_running(journal, site.name)
        there = keeper.read()
        if there is None:
            return f"{site.name}: not locked"
        run = journal.begin("unlock", [site.name])
        try:
            removed = keeper.remove()
        except BaseException as error:
            journal.end(run, "failed", str(error))
            raise
        journal.end(run, "done", f"{reason.strip()} (it was held by {there.holder()})")
    return f"{site.name}: {_said(there)}" if removed else f"{site.name}: its holder gave it back meanwhile"


def _said(lease: Lease) -> str:
    return f"unlocked; it was held by {lease.holder()}"
