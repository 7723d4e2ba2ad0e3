"""A plan on a terminal: what happens at each site, why, and what cannot be undone."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from rollout.plan.model import HostPlan, Plan, SitePlan, SystemStep
from rollout.plan.systems import summary

_STATES = {"new": "bold green", "nothing": "dim", "converge": "bold yellow", "blocked": "bold red"}
_MOVES = {
    "nothing": "dim",
    "install": "green",
    "upgrade": "green",
    "replace": "magenta",
    "downgrade": "bold red",
    "remove": "red",
}
_NAMED = 6
_ALWAYS_NAMED = {"remove", "by hand"}
# What a person looks for among hundreds of packages.
_NOTABLE = re.compile(
    r"(postgresql-\d+|patroni|etcd-server|haproxy|keepalived|pgbackrest|nginx-light|linux-image-.*)="
)


def show(plan: Plan, console: Console, *, verbose: bool = False) -> None:
    """Prints the plan; with ``verbose`` everything is named, without it what people look for."""
    verb = "roll back to" if plan.rollback else "bring to"
    console.print(
        Text(f"{verb} {plan.release} serial {plan.serial} ({plan.manifest_sha256[:12]})", style="bold")
    )
    for site in plan.sites:
        console.print()
        _site(site, console, verbose)
    console.print()
    counts = summary(plan)
    if counts:
        console.print(Text(", ".join(f"{len(names)} {what}" for what, names in counts.items()), style="bold"))
        for what, names in counts.items():
            console.print(Padding(Text(f"{what}: {', '.join(names)}", style="dim"), (0, 0, 0, 2)))
    console.print(verdict(plan))


def verdict(plan: Plan) -> Text:
    """The last line."""
    if plan.blocked:
        return Text(f"blocked: {', '.join(plan.blocked)}", style="bold red")
    if not plan.changing:
        return Text("nothing to do", style="bold green")
    return Text(f"changes planned: {', '.join(plan.changing)}", style="bold yellow")


def _site(site: SitePlan, console: Console, verbose: bool) -> None:
    console.print(
        Text.assemble(
            (site.site, "bold"), "  ", (site.state, _STATES[site.state]), f"  {'; '.join(site.reasons)}"
        )
    )
    for line in [*_systems(site.systems, verbose), *_hosts(site.hosts, verbose)]:
        console.print(Padding(line, (0, 0, 0, 2)))
    for point in site.points_of_no_return:
        text = f"point of no return, not before `rollout confirm`: {point}"
        console.print(Padding(Text(text, style="bold red"), (0, 0, 0, 2)))


def _systems(systems: list[SystemStep], verbose: bool) -> Iterable[Text]:
    """One line a change; systems that come to the same hosts for the first time share one."""
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for step in systems:
        if verbose or step.move != "nothing":
            grouped.setdefault((step.move, step.found, step.wanted, step.why), []).append(step.host)
    firsts: dict[str, list[str]] = {}
    for (move, found, wanted, why), hosts in grouped.items():
        if move == "install":
            firsts.setdefault(", ".join(hosts), []).append(wanted)
        else:
            change = " → ".join(dict.fromkeys(part for part in (found, wanted) if part))
            text = f" {change} on {', '.join(hosts)}"
            yield Text.assemble((f"{move:9}", _MOVES[move]), text, (f"  {why}", "dim"))
    for places, names in firsts.items():
        yield Text.assemble((f"{'install':9}", _MOVES["install"]), f" {', '.join(names)} on {places}")


def _hosts(hosts: list[HostPlan], verbose: bool) -> Iterable[Text]:
    """What several hosts have in common is said once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for host in hosts:
        for what, names in _parts(host).items():
            if names:
                text = _names(names, verbose or what in _ALWAYS_NAMED)
                grouped.setdefault((what, text), []).append(host.host)
    for (what, text), places in grouped.items():
        style = "red" if what in _ALWAYS_NAMED else "yellow"
        yield Text.assemble((f"{what:9}", style), f" {text} on {', '.join(places)}")


def _parts(host: HostPlan) -> Mapping[str, list[str]]:
    return {
        "heal dpkg": ["what was left half-done"] if host.heal else [],
        "packages": host.install,
        "remove": host.remove,
        "rebuild": ["the platform's environment"] if host.rebuild else [],
        "rewrite": host.rewrite,
        "start": host.start,
        "restart": host.restart,
        "by hand": host.by_hand,
    }


def _names(names: Sequence[str], whole: bool) -> str:
    if whole or len(names) <= _NAMED:
        return ", ".join(names)
    first = [name for name in names if _NOTABLE.match(name)][:_NAMED] or names[:_NAMED]
    return f"{len(names)}: {', '.join(first)} and {len(names) - len(first)} more"
