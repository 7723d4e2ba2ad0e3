"""In which order sites are brought to a release: the region first, then the cities, several at a time."""

from collections.abc import Iterator, Sequence

from rollout.inventory import Site


def groups(sites: Sequence[Site]) -> Iterator[list[Site]]:
    """Groups that follow one another; the sites of one may go on side by side.

    Canary and waves with health gates between them come in here.
    """
    for kind in ("region", "city"):
        group = [site for site in sites if site.kind == kind]
        if group:
            yield group
