from itertools import combinations

import pytest
from jincai.auth import roles
from jincai.auth.roles import PERMISSIONS, ROLES, Granted, SeparationError
from jincai.errors import ConfigurationError

ADMINISTRATORS = ["system_admin", "security_admin", "audit_admin"]
BUSINESS = [code for code in ROLES if code not in ADMINISTRATORS]


def held(*codes: str, division: str = "450100", agency: str | None = None) -> list[Granted]:
    return [Granted(code, division, agency) for code in codes]


def test_every_permission_is_some_roles() -> None:
    assert {code for role in ROLES.values() for code in role.permissions} == set(PERMISSIONS)


@pytest.mark.parametrize("thing", ["standards", "budget", "payment", "ledger"])
def test_maker_and_checker_are_two_people(thing: str) -> None:
    with pytest.raises(SeparationError, match="exclude each other"):
        roles.extent(held(f"{thing}_maker", f"{thing}_checker"))


@pytest.mark.parametrize("duty", ["maker", "checker"])
def test_a_unit_does_not_review_itself(duty: str) -> None:
    with pytest.raises(SeparationError):
        roles.extent(held("payment_unit", f"payment_{duty}", agency="101001"))


@pytest.mark.parametrize("pair", list(combinations(ADMINISTRATORS, 2)))
def test_administrators_are_three_people(pair: tuple[str, str]) -> None:
    with pytest.raises(SeparationError):
        roles.extent(held(*pair))


@pytest.mark.parametrize("administrator", ADMINISTRATORS)
def test_who_does_no_business(administrator: str) -> None:
    for business in BUSINESS:
        with pytest.raises(SeparationError):
            roles.extent(held(administrator, business))


@pytest.mark.parametrize("code", ["system_admin", "security_admin"])
def test_who_runs_it_sees_no_books(code: str) -> None:
    assert roles.extent([Granted(code)]).divisions == ()


def test_makers_of_different_things_may_be_one() -> None:
    found = roles.extent(held("budget_maker", "ledger_checker"))
    assert found.permissions == ("budget.draft", "budget.read", "ledger.book", "ledger.close", "ledger.read")
    assert (found.divisions, found.agencies) == (("450100",), None)


def test_one_role_does_not_reach_where_another_was_granted() -> None:
    with pytest.raises(SeparationError, match="different divisions"):
        roles.extent([Granted("reader"), Granted("budget_maker", "450100")])
    with pytest.raises(SeparationError, match="some of the divisions"):
        roles.extent(
            [Granted("payment_unit", "450100", "101001"), Granted("payment_unit", "450200", "205001")]
        )


def test_nothing_granted_is_nothing() -> None:
    found = roles.extent([])
    assert (found.permissions, found.divisions, found.agencies) == ((), (), ())


def test_a_unit_is_named() -> None:
    with pytest.raises(ConfigurationError, match="names no unit"):
        roles.extent(held("budget_unit"))


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="there is no role emperor"):
        roles.extent(held("emperor"))
