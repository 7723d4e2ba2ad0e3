"""What a release ships as editions: right in itself, published once, and no more than it claims."""

import asyncio
import csv
import json
import re
from importlib import resources

import psycopg
import pytest
from jincai import migrate
from jincai.paging import this_year
from jincai.standards import codes, shipped
from jincai.standards.elements import CODE, ELEMENTS

YEARS = range(2010, this_year() + 2)


def _of(year: int) -> dict[tuple[str, str], shipped.Shipped]:
    found = [one for one in shipped.rows() if one.valid_from_year <= year <= (one.valid_to_year or 9999)]
    by_code = {(one.element, one.code): one for one in found}
    assert len(by_code) == len(found), f"a code stands twice in {year}"
    return by_code


@pytest.mark.parametrize("year", YEARS)
def test_every_year_is_right_in_itself(year: int) -> None:
    found = _of(year)
    for (element, code), one in found.items():
        assert CODE.fullmatch(code)
        assert one.parent is None or (element, one.parent) in found, (element, code, year)
        for name, value in json.loads(one.attributes).items():
            assert ELEMENTS[element].attributes[name].pattern.fullmatch(value)
        if element in {"exp_func", "dep_exp_eco", "gov_exp_eco"}:
            assert one.parent == (code[:-2] if len(code) > 3 else None)
        if element == "account_map":
            assert ("account", code) in found
            assert ("account", json.loads(one.attributes)["target"]) in _of(2015)


def test_what_posting_needs_is_there() -> None:
    file = resources.files("jincai_ledger") / "data" / "posting_rules.csv"
    for rule in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
        for year in YEARS:
            if int(rule["valid_from_year"]) <= year <= int(rule["valid_to_year"]):
                for side in ("debit_account", "credit_account"):
                    assert ("account", rule[side]) in _of(year)


def test_classifications_follow_the_year() -> None:
    assert ("gov_exp_eco", "50101") not in _of(2017)
    assert ("gov_exp_eco", "50101") in _of(2018)
    assert ("dep_exp_eco", "30311") in _of(2010)
    assert _of(2010)["exp_func", "211"].name == "环境保护"
    assert _of(2016)["exp_func", "211"].name == "节能环保支出"
    for code in ("2010301", "2050202", "2140104"):
        assert ("exp_func", code) in _of(2010)


def test_the_names_of_the_voucher_are_the_standards_own() -> None:
    names = {
        json.loads(one.attributes)["field"]: one.code for one in shipped.rows() if one.element == "field_name"
    }
    assert (names["division"], names["amount"], names["paid_amount"]) == (
        "AdmDivCode",
        "PayAmt",
        "XPayAmt",
    )
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", code) for code in names.values())


def test_each_year_gets_one_published_edition_and_a_second_run_adds_nothing(empty_database) -> None:
    first = migrate.run(empty_database.owner, (), "jincai_app").seeded
    assert first["standards.edition"] == len(YEARS)
    assert first["standards.code"] == sum(len(_of(year)) for year in YEARS)
    assert migrate.run(empty_database.owner, (), "jincai_app").seeded == {}
    with psycopg.connect(empty_database.owner) as cx:
        rows = cx.execute(
            "SELECT fiscal_year, number, state, made_by, published_by FROM standards.edition ORDER BY 1"
        )
        expected = [(year, 1, "published", "release", "release shipped") for year in YEARS]
        assert rows.fetchall() == expected


def test_a_year_that_people_began_is_left_to_them(empty_database) -> None:
    migrate.run(empty_database.owner, (), "jincai_app")
    with psycopg.connect(empty_database.owner) as cx:
        cx.execute("INSERT INTO standards.edition (fiscal_year, number, made_by) VALUES (2009, 1, 'maker')")
    assert migrate.run(empty_database.owner, (), "jincai_app").seeded == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE standards.code SET name = 'x' WHERE fiscal_year = 2016 AND code = '2010301'",
        "DELETE FROM standards.code WHERE fiscal_year = 2016 AND code = '2010301'",
        "INSERT INTO standards.code VALUES (2016, 1, 'exp_func', '9', 'x', NULL, '{}')",
        "UPDATE standards.code SET edition = 2 WHERE fiscal_year = 2016 AND code = '5001'",
        "UPDATE standards.code SET edition = 1 WHERE fiscal_year = 2016 AND edition = 2",
        "UPDATE standards.edition SET state = 'draft', published_by = NULL, published_at = NULL",
        "DELETE FROM standards.edition WHERE fiscal_year = 2017 AND number = 1",
        "UPDATE standards.edition SET made_by = 'other' WHERE number = 2",
        "UPDATE standards.edition SET changed_by = '{}' WHERE number = 2",
        "TRUNCATE standards.code",
    ],
)
def test_even_the_owner_cannot_change_what_is_published(database, statement: str) -> None:
    with psycopg.connect(database.owner) as cx:
        cx.execute(
            """
            INSERT INTO standards.edition (fiscal_year, number, made_by, changed_by)
            VALUES (2016, 2, 'm', '{n}')
            """
        )
        cx.execute("INSERT INTO standards.code VALUES (2016, 2, 'exp_func', '1', 'x', NULL, '{}')")
        cx.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(psycopg.Error) as caught:
            cx.execute(statement)
        assert caught.value.sqlstate == "JC001"


@pytest.mark.parametrize("publisher", ["maker", "helper"])
def test_whoever_had_a_hand_in_a_draft_cannot_publish_it_even_in_sql(database, publisher: str) -> None:
    with psycopg.connect(database.owner) as cx:
        cx.execute(
            """
            INSERT INTO standards.edition (fiscal_year, number, made_by, changed_by)
            VALUES (2016, 2, 'maker', '{helper}')
            """
        )
        with pytest.raises(psycopg.errors.CheckViolation, match="edition_two_people"):
            cx.execute(
                """
                UPDATE standards.edition SET state = 'published', published_by = %s, published_at = now()
                 WHERE fiscal_year = 2016 AND number = 2
                """,
                (publisher,),
            )


def test_documents_are_checked_against_what_is_in_force(database) -> None:
    async def ask() -> list[tuple[str, str]]:
        async with await psycopg.AsyncConnection.connect(database.app) as cx:
            asked = [("exp_func", "2010301"), ("exp_func", "999"), ("gov_exp_eco", "50101")]
            return await codes.unknown(cx, 2016, asked)

    assert asyncio.run(ask()) == [("exp_func", "999"), ("gov_exp_eco", "50101")]
