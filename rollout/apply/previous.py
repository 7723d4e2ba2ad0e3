"""Which build a site ran before: where `rollout rollback` goes back to."""

from rollout.apply.journal import Journal
from rollout.errors import ConfigurationError
from rollout.inventory import Site
from rollout.record import SiteRecord


def previous(journal: Journal, site: Site, record: SiteRecord | None) -> str:
    """The build, as ``2026.1-3``, of the newest apply that ended well there with an older serial.

    While an upgrade has not ended well that is the build of the site's record.

    Raises ConfigurationError when the site has no record, or this control node knows of no older build there.
    """
    if record is None:
        raise ConfigurationError(
            f"{site.name}: no apply ended well there yet, so there is nothing to go back from",
            "Finish the apply; `rollout status` shows where it stopped.",
        )
    last = journal.last(site.name)
    if last and last.serial and last.serial > record.serial and last.outcome != "done":
        return f"{record.release}-{record.serial}"
    for run in journal.done(site.name):
        if run.release and run.serial and run.serial < record.serial:
            return f"{run.release}-{run.serial}"
    raise ConfigurationError(
        f"{site.name}: the journal knows of no build there older than {record.release}-{record.serial}",
        "Name it: rollout rollback RELEASE-SERIAL --site SITE",
    )
