"""The people of the desk, and the books they work on."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.platform.desk import Person
from tests.platform.posting import assert_books_agree, shown, token_for_all


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    """The books, checked once more at the end of every test."""
    with shown(database.app, token_for_all(database.owner)) as cx:
        yield cx
        assert_books_agree(cx)


@pytest.fixture(scope="module")
def unit(client, session) -> Person:
    """经办: asks for unit 101001 in Nanning."""
    token = session(
        "budget.read",
        "payment.read",
        "payment.submit",
        divisions=["450100"],
        agencies=["101001"],
        actor="unit",
    )
    return Person(client, token)


@pytest.fixture(scope="module")
def reviewer(client, session) -> Person:
    """审核."""
    return Person(client, session("payment.read", "payment.review", divisions=["450100"], actor="reviewer"))


@pytest.fixture(scope="module")
def signer(client, session) -> Person:
    """复核, 签章."""
    return Person(client, session("payment.read", "payment.post", divisions=["450100"], actor="signer"))
