"""What a person reads before approving."""

import io

from rich.console import Console

from rollout.plan.model import HostPlan, Plan, SystemStep
from rollout.plan.show import show
from tests.unit.test_plan_approved import plan


def host(name: str, **more: object) -> HostPlan:
    lists = ("install", "remove", "rewrite", "start", "restart", "by_hand")
    empty: dict[str, object] = {key: [] for key in lists}
    return HostPlan.model_validate({"host": name, "heal": False, "rebuild": False, **empty, **more})


def shown(made: Plan, *, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=200, no_color=True)
    show(made, console, verbose=verbose)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


PACKAGES = [f"lib{number:03}=1.0-1" for number in range(250)] + ["postgresql-15=15.14-0+deb12u1"]


def test_hundreds_of_packages_are_one_line_with_what_people_look_for() -> None:
    text = shown(plan(hosts=[host("nanning-a", install=PACKAGES), host("nanning-b", install=PACKAGES)]))
    (line,) = [line for line in text.splitlines() if "packages" in line]
    assert "251: postgresql-15=15.14-0+deb12u1 and 250 more on nanning-a, nanning-b" in line


def test_verbose_names_every_one() -> None:
    text = shown(plan(hosts=[host("nanning-a", install=PACKAGES)]), verbose=True)
    assert all(package in text for package in PACKAGES)


def test_what_is_removed_and_what_is_left_to_a_person_is_always_named() -> None:
    names = [f"extra{number}" for number in range(20)]
    text = shown(plan(hosts=[host("nanning-a", remove=names, by_hand=["kernel: restart the host"])]))
    assert all(name in text for name in names)
    assert "kernel: restart the host" in text


def test_systems_say_how_and_why() -> None:
    steps = [
        SystemStep(
            host=f"nanning-{letter}",
            system="budget",
            move="upgrade",
            found="jincai-budget 0.9.0",
            wanted="jincai-budget 1.0.0",
            why="0.9.0 is older than 1.0.0",
        )
        for letter in "ab"
    ]
    text = shown(plan(systems=steps))
    assert (
        "upgrade   jincai-budget 0.9.0 → jincai-budget 1.0.0 on nanning-a, nanning-b  0.9.0 is older" in text
    )


def test_points_of_no_return_stand_out() -> None:
    assert "point of no return, not before `rollout confirm`: 0002_contract_old" in shown(
        plan(points_of_no_return=["0002_contract_old"])
    )


def test_the_last_line_is_the_verdict() -> None:
    ends = {
        state: shown(plan(state=state)).strip().splitlines()[-1]
        for state in ("nothing", "converge", "blocked")
    }
    assert ends == {
        "nothing": "nothing to do",
        "converge": "changes planned: nanning",
        "blocked": "blocked: nanning",
    }


def _step(site: str, system: str, move: str) -> SystemStep:
    given = {"host": f"{site}-a", "system": system, "move": move, "found": "x 1", "wanted": "x 2", "why": ""}
    return SystemStep.model_validate(given)


def test_the_region_is_counted_once() -> None:
    moves = {
        "payroll": "replace",
        "nontax": "replace",
        "unit_accounts": "replace",
        "jincai": "upgrade",
        "budget": "upgrade",
        "payment": "upgrade",
        "ledger": "upgrade",
        "treasury_link": "nothing",
    }
    made = plan()
    sites = [
        made.sites[0].model_copy(
            update={"site": name, "systems": [_step(name, *move) for move in moves.items()]}
        )
        for name in ("nanning", "liuzhou")
    ]
    text = shown(made.model_copy(update={"sites": sites}))
    assert "3 replaced, 4 upgraded" in text
    assert "replaced: nontax, payroll, unit_accounts" in text
