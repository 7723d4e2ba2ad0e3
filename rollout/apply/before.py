"""Before reality is read: whoever else is at the site is respected, what a dead run left is tidied up."""

import shutil
from collections.abc import Mapping
from contextlib import suppress

from rollout.apply import environment, heal, orphans, record
from rollout.apply.journal import Journal
from rollout.apply.lease import LeaseKeeper
from rollout.apply.ports import Ports
from rollout.apply.remote import Remote
from rollout.apply.show import Show
from rollout.errors import ApplyError, UnreachableError, VerificationError
from rollout.inventory import Site
from rollout.paths import Home


def tidy(
    home: Home,
    journal: Journal,
    site: Site,
    show: Show,
    ports: Ports,
    *,
    orphan_wait: float = orphans.WAIT_SECONDS,
    heal_wait: float = heal.WAIT_SECONDS,
) -> None:
    """Costs nothing at a site whose last apply ended well, and touches nothing there.

    Raises:
        HeldError: another run is at the site.
        UnreachableError: a host that needs healing does not answer.
        ApplyError: something still works on a host that a dead run began.
    """
    orphans.refuse_running(journal, site.name)
    killed = orphans.clear(journal, site.name, show.say, orphan_wait)
    for run in killed:
        shutil.rmtree(environment.control_folder(home, run.id), ignore_errors=True)
    said = record.mend(home, site.name)
    if said:
        show.say(said)
    last = journal.last(site.name)
    if killed or (last and last.id not in {run.id for run in journal.done(site.name)}):
        remotes = {host.name: ports.connect(host, home) for host in site.hosts.values()}
        keeper = LeaseKeeper(home, site.name, remotes[site.storage.name])
        _heal(keeper, remotes, journal, show, heal_wait)
    elif not (home.records / f"{site.name}.json").is_file() and not last:
        _adopt(home, site, show, ports)


def _heal(
    keeper: LeaseKeeper, remotes: Mapping[str, Remote], journal: Journal, show: Show, wait: float
) -> None:
    run = journal.begin("heal", [keeper.site])
    try:
        with keeper.held(run) as taken:
            if taken.before:
                show.say(
                    f"{keeper.site}: took over the lease of run {taken.before.run}, whose process is gone"
                )
            heal.heal(remotes, show.say, wait)
    except BaseException as error:
        journal.end(run, "failed", str(error))
        raise
    journal.end(run, "done")


def _adopt(home: Home, site: Site, show: Show, ports: Ports) -> None:
    """A site that this control node never touched may carry a record by the same report key."""
    if not (home.keys / "report.gpg").is_file():
        return
    storage = ports.connect(site.storage, home)
    # Unreachable or bare: the audit will say so. Signed by another key: not ours to believe.
    with suppress(UnreachableError, ApplyError, VerificationError):
        found = record.adopt(home, site.name, storage)
        if found:
            show.say(f"{site.name}: its record was taken over from {site.storage.name} (run {found.run})")
