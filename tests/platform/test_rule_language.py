import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jincai.monitoring import language
from jincai.monitoring.language import thresholds
from jincai.monitoring.language.errors import Refused
from jincai.monitoring.language.functions import FUNCTIONS
from jincai.monitoring.language.literals import array, literal, patterns
from jincai.monitoring.vocabulary import Lookup
from jincai_payment.monitored import PAYMENTS

from tests.platform.conftest import Urls
from tests.platform.rule_making import fires, refusal, rule

MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CASH = {"set_mode_code": "2"}
THE_5TH = {"pay_date": dt.date(2016, 3, 5)}


@pytest.fixture(scope="module")
def cx(database: Urls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.app, autocommit=True) as cx:
        yield cx


# ---- operators and functions, each on a record for which it is true and one for which it is not ------------
@pytest.mark.parametrize(
    ("when", "true", "false"),
    [
        ("amount = 10000", {}, {"amount": 1}),
        ("amount <> 10000", {"amount": 1}, {}),
        ("amount != 10000", {"amount": 1}, {}),
        ("amount < cap", {"amount": 49_999}, {"amount": 50_000}),
        ("amount <= cap", {"amount": 50_000}, {"amount": 50_001}),
        ("amount > cap", {"amount": 50_001}, {"amount": 50_000}),
        ("cap <= amount", {"amount": 50_000}, {"amount": 49_999}),
        ("amount BETWEEN 5 AND 7", {"amount": 7}, {"amount": 8}),
        ("amount NOT BETWEEN 5 AND 7", {"amount": 4}, {"amount": 5}),
        ("amount IN (1, 2)", {"amount": 2}, {"amount": 3}),
        ("purpose NOT IN ('a', 'b')", {"purpose": "c"}, {"purpose": "b"}),
        ("purpose = 'a' AND amount = 1", {"purpose": "a", "amount": 1}, {"purpose": "a"}),
        ("purpose = 'a' OR amount = 1", {"amount": 1}, {"purpose": "b"}),
        ("NOT (purpose = 'a' OR amount = 1)", {}, {"amount": 1}),
        ("amount + 1 = 3", {"amount": 2}, {"amount": 3}),
        ("amount - 5 = -3", {"amount": 2}, {"amount": 3}),
        ("-amount < -4", {"amount": 5}, {"amount": 4}),
        ("amount * 3 > cap * 2", {"amount": 33_334}, {"amount": 33_333}),
        ("amount / 3 = 2", {"amount": 8}, {"amount": 9}),
        ("(amount - 10) / 3 = -2", {"amount": 3}, {"amount": 1}),
        ("1 + 2 * 3 = 7 AND amount = 1", {"amount": 1}, {"amount": 2}),
        (
            "pay_date >= DATE '2010-12-20'",
            {"pay_date": dt.date(2010, 12, 20)},
            {"pay_date": dt.date(2010, 12, 19)},
        ),
        ("payee_name > '一'", {"payee_name": "丁"}, {"payee_name": "Z"}),
        ("TRUE AND amount = 1", {"amount": 1}, {"amount": 2}),
        ("contains(purpose, '礼') = TRUE", {"purpose": "礼品"}, {}),
        ("one_of(dep_exp_eco_code, codes)", {"dep_exp_eco_code": "30217"}, {"dep_exp_eco_code": "3020"}),
        ("contains(purpose, '礼''品')", {"purpose": "买礼'品"}, {"purpose": "礼品"}),
        ("contains(purpose, payee_name)", {"purpose": "付示例公司款"}, {}),
        ("contains_any(purpose, words)", {"purpose": "用了100%"}, {"purpose": "用了100"}),
        ("starts_with(exp_func_code, '201')", {}, {"exp_func_code": "1201"}),
        (
            "starts_with_any(dep_exp_eco_code, codes)",
            {"dep_exp_eco_code": "3020199"},
            {"dep_exp_eco_code": "30299"},
        ),
        ("ends_with(payee_name, '公司')", {}, {"payee_name": "公司甲"}),
        ("length(purpose) = 2", {"purpose": "😀办"}, {"purpose": "办"}),
        ("is_digits(payee_account)", {"payee_account": "0123"}, {"payee_account": "012 3"}),
        ("is_digits(payee_account)", {"payee_account": "1"}, {"payee_account": "１２"}),
        ("is_digits(payee_account)", {"payee_account": "1"}, {"payee_account": ""}),
        ("has_chinese(purpose)", {"purpose": "abc办"}, {"purpose": "abc，！"}),
        ("has_chinese(purpose)", {"purpose": "𠮷"}, {"purpose": "😀"}),
        ("one_character(purpose)", {"purpose": "。。。"}, {"purpose": "。。a"}),
        ("one_character(purpose)", {"purpose": "\\\\"}, {"purpose": ""}),
        ("year(pay_date) = 2016", {}, {"pay_date": dt.date(2015, 12, 31)}),
        ("month(pay_date) = 3", {}, {"pay_date": dt.date(2016, 4, 1)}),
        ("day(pay_date) = 1", {}, {"pay_date": dt.date(2016, 3, 2)}),
        ("weekday(pay_date) = 7", {"pay_date": dt.date(2016, 3, 6)}, {"pay_date": dt.date(2016, 3, 7)}),
    ],
)
def test_operator_or_function(cx: psycopg.Connection, when: str, true: dict, false: dict) -> None:
    assert fires(cx, when, true)
    assert not fires(cx, when, false)


@pytest.mark.parametrize(
    ("when", "lookups"),
    [
        ("own_account(payee_account)", {"own_account": True}),
        ("own_name(payee_name)", {"own_name": True}),
        ("contracted(payee_account, dep_exp_eco_code)", {"contracted": True}),
        ("amount >= unit_limit('payment', cap)", {"unit_limit": 10_000}),
    ],
)
def test_register(cx: psycopg.Connection, when: str, lookups: dict) -> None:
    assert fires(cx, when, lookups=lookups)
    assert not fires(cx, when)


def test_unregistered_limit_is_the_one_given(cx: psycopg.Connection) -> None:
    assert fires(cx, "amount >= unit_limit('payment', cap)", {"amount": 50_000})


def test_built_in_is_the_whole_expression(cx: psycopg.Connection) -> None:
    found = language.compiled(rule("quota_exceeded", "before"), PAYMENTS)
    assert (found.built_in, found.windows) == ("quota_exceeded", False)
    assert fires(cx, "quota_exceeded", {"quota_exceeded": True})
    assert not fires(cx, "quota_exceeded")
    assert "whole expression" in refusal("quota_exceeded AND amount > 3")
    assert "no exemptions" in refusal("quota_exceeded", exempt=["amount > 3"])


# ---- windows -----------------------------------------------------------------------------------------------
_WINDOWS = [
    ("past_count(days(2)) = 1", [{}], [{}, {}]),
    ("past_count(days(2)) = 1", [{"pay_date": dt.date(2016, 3, 2)}], [{"pay_date": dt.date(2016, 3, 3)}]),
    ("past_count(days(2)) = 1", [{"pay_date": dt.date(2016, 2, 29)}], [{"pay_date": dt.date(2016, 2, 28)}]),
    ("past_count(this_day()) = 1", [{}], [{"pay_date": dt.date(2016, 3, 2)}]),
    (
        "past_count(this_month()) = 1",
        [{"pay_date": dt.date(2016, 3, 31)}],
        [{"pay_date": dt.date(2016, 4, 1)}],
    ),
    ("past_count(this_month()) = 1", [{}], [{"pay_date": dt.date(2016, 2, 29)}]),
    (
        "past_count(this_year()) = 1",
        [{"pay_date": dt.date(2016, 12, 31)}],
        [{"pay_date": dt.date(2015, 12, 31)}],
    ),
    ("past_count(days(2), same(payee_name, amount)) = 1", [{}], [{"amount": 1}]),
    ("past_count(days(2), amount < cap) = 1", [{}], [{"amount": 50_000}]),
    ("past_count(days(2), amount > this.amount) = 1", [{"amount": 10_001}], [{"amount": 10_000}]),
    ("past_count(days(2), same(payee_name), contains_any(purpose, words)) >= 1", [{"purpose": "烟酒"}], [{}]),
    ("past_sum(amount, days(2)) = 30000", [{}, {"amount": 20_000}], [{"amount": 10**15}, {}]),
    ("past_sum(amount, days(2)) = 0 AND amount = 10000", [], [{}]),
    ("past_max(amount, days(2)) = 7", [{"amount": 7}, {"amount": 5}], [{"amount": 8}, {"amount": 7}]),
    ("past_distinct(payee_name, days(2)) = 2", [{}, {}, {"payee_name": "甲"}], [{}, {}]),
]


@pytest.mark.parametrize(("when", "true", "false"), _WINDOWS)
def test_window(cx: psycopg.Connection, when: str, true: list, false: list) -> None:
    assert fires(cx, when, earlier=true)
    assert not fires(cx, when, earlier=false)


def test_examples_do_not_see_each_other(cx: psycopg.Connection) -> None:
    # `fires` puts the same example twice into one statement; each has its own two earlier records.
    assert fires(cx, "past_count(days(9)) = 2", earlier=[{}, {}])
    assert fires(cx, rule("past_count(days(9), across(payee_name)) = 2", "after"), earlier=[{}, {}])


def test_exemptions(cx: psycopg.Connection) -> None:
    made = rule("amount > 5", exempt=["contains(purpose, '工会')", "own_name(payee_name)", "amount / 0 > 1"])
    assert fires(cx, made)
    assert not fires(cx, made, {"purpose": "工会经费"})
    assert not fires(cx, made, lookups={"own_name": True})


# ---- thresholds --------------------------------------------------------------------------------------------
_OVERRIDES = [
    {"division": "450000", "value": 2},
    {"division": "450100", "value": 3},
    {"division": "450103", "value": 4},
    {"division": "450000", "year": 2010, "value": 5},
    {"division": "450100", "year": 2010, "value": 6},
    {"year": 2010, "value": 7},
]


@pytest.mark.parametrize(
    ("division", "year", "value"),
    [
        ("440100", 2016, 1),
        ("440100", 2010, 7),
        ("450200", 2016, 2),
        ("450000", 2016, 2),
        ("450200", 2010, 5),
        ("450100", 2016, 3),
        ("450199", 2016, 3),
        ("450103", 2016, 4),
        ("450103", 2010, 4),
        ("450100", 2010, 6),
    ],
)
def test_most_specific_threshold_counts(cx: psycopg.Connection, division: str, year: int, value: int) -> None:
    made = rule("amount = t", thresholds={"t": {"value": 1, "title": "数", "overrides": _OVERRIDES}})
    record = {"division": division, "fiscal_year": year}
    assert fires(cx, made, {**record, "amount": value})
    assert not fires(cx, made, {**record, "amount": value + 10})


def test_prefix_of_division() -> None:
    found = [thresholds.prefix(one) for one in ("450000", "450100", "450103", "451000", "110000")]
    assert found == ["45", "4501", "450103", "4510", "11"]


def test_two_values_for_one_place_are_refused() -> None:
    twice = [{"division": "450100", "value": 2}, {"division": "450100", "value": 3}]
    said = refusal("amount = t", thresholds={"t": {"value": 1, "title": "数", "overrides": twice}})
    assert "two values for division 450100, year any" in said


# ---- what is missing, and what could fail ------------------------------------------------------------------
@pytest.mark.parametrize(
    ("when", "fired"),
    [
        ("amount / 0 = 1", False),
        ("NOT (amount / 0 = 1)", True),
        ("amount / (amount - amount) <> 3 OR amount = 10000", True),
        ("(amount / 0 > 1) = (amount < 0)", True),
        ("amount * 1000000000000000 * 1000000000000000 > 1", True),
        ("nothing() = 'x'", False),
        ("NOT (nothing() = 'x')", True),
        ("contains(nothing(), 'x') OR nothing() IN ('x')", False),
        ("length(nothing()) + 1 > 0", False),
    ],
)
def test_never_fails_never_null(cx: psycopg.Connection, when: str, *, fired: bool) -> None:
    nothing = Lookup((), "text", "无", "nothing", "NULL::text")
    vocabulary = replace(PAYMENTS, lookups={"nothing": nothing})
    assert fires(cx, when, vocabulary=vocabulary) is fired


@MANY
@given(st.text())
def test_literal_is_what_it_was(cx: psycopg.Connection, word: str) -> None:
    if "\0" in word:
        with pytest.raises(Refused):
            literal(word)
        return
    query = f"SELECT {literal(word)} = %s, %s = ANY ({array((word, 'x'))})".encode()
    assert cx.execute(query, (word, word)).fetchone() == (True, True)
    # Without parameters, and with a server that takes backslashes for escapes.
    with cx.transaction():
        cx.execute("SET LOCAL standard_conforming_strings = off")
        cx.execute("SET LOCAL escape_string_warning = off")
        assert cx.execute(f"SELECT {literal(word)}".encode()).fetchone() == (word,)
    assert psycopg.sql.SQL(literal(word)).format().as_string(cx) == literal(word)  # type: ignore[arg-type]


@MANY
@given(st.lists(st.text(st.sampled_from("ab%_\\'{}x25烟酒"), max_size=4), min_size=1, max_size=3), st.data())
def test_words_are_found_wherever_they_are(
    cx: psycopg.Connection, words: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.text(st.sampled_from("ab%_\\'{}x25烟酒"), max_size=8))
    inside, begins = FUNCTIONS["contains_any"], FUNCTIONS["starts_with_any"]
    asked = inside.sql("%s::text", patterns(tuple(words))), begins.sql("%s::text", array(tuple(words)))
    query = f"SELECT {', '.join(asked)}"
    found = cx.execute(query.encode(), (text, text)).fetchone()
    assert found == (any(word in text for word in words), text.startswith(tuple(words)))


_SIGNS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)


@MANY
@given(
    _SIGNS | st.sampled_from(["'", "''", "\\", "%s", "{0}", "'; DROP TABLE x; --", "/* */", "--", "$$", "E'"])
)
def test_written_text_is_what_it_says(cx: psycopg.Connection, word: str) -> None:
    written = word.replace("'", "''")
    # `length` keeps the rule from being refused for what can never be true.
    assert fires(cx, f"purpose = '{written}' AND length(payee_name) = 4", {"purpose": word})
    assert not fires(cx, f"purpose = '{written}' AND length(payee_name) = 4", {"purpose": word + "x"})


# ---- what is refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("amont > 3", "there is no name amont, perhaps amount is meant; there are: agency_code, amount,"),
        ("Amount > 3", "perhaps amount is meant"),
        ("amount = 'x'", "amount = 'x' compares an amount in fen with text"),
        ("purpose = 5", "compares text with a number"),
        ("amount > least", "compares an amount in fen with an integer"),
        ("amount + least > 3", "an amount in fen + an integer means nothing"),
        ("amount * amount > 3", "means nothing"),
        ("purpose + 1 > 3", "purpose is text: nothing can be calculated"),
        ("pay_date > '2010-01-01'", "compares a date with text"),
        ("DATE '2010-02-30' < pay_date", "is no date"),
        ("amount", "a rule's expression must be true or false, but amount is an amount in fen"),
        ("amount AND TRUE", "must be true or false"),
        ("NOT amount", "what stands after NOT must be true or false"),
        ("own_account(payee_account) < TRUE", "is true or false: it cannot be <"),
        ("length(amount) > 3", "argument 1 of length must be text, but amount is an amount in fen"),
        ("length(purpose, 3) > 3", "length takes 1 arguments (text), not 2"),
        ("contians(purpose, 'x')", "there is no function contians, perhaps contains is meant"),
        ("pg_sleep(10) = 1", "there is no function pg_sleep"),
        ("set_config('a', 'b', false) = 'x'", "there is no function set_config"),
        ("plain(purpose) = 'x'", "there is no function plain"),
        ("pg_catalog.pg_sleep(1) = 1", "nothing that the rule language has"),
        ("one_of(purpose, wrods)", "there is no list wrods, perhaps words is meant"),
        ("one_of(purpose, 'x')", "argument 2 of one_of must be the name of a list"),
        ("one_of(amount, codes)", "argument 1 of one_of must be text"),
        ("purpose IN words", "of a list write one_of"),
        ("purpose = words", "words is a list: write one_of(…, words)"),
        ("contains(purpose, words)", "words is a list"),
        ("own_account = TRUE", "own_account is asked with parentheses"),
        ("amount IN (1, amount)", "IN takes values as written; amount is none"),
        (f"amount IN ({', '.join(map(str, range(201)))})", "IN has 201 values; 200 are the most"),
        ("amount IN (SELECT 1)", "'SELECT' is no word of the rule language"),
        ("(SELECT true)", "'SELECT' is no word"),
        ("EXISTS (SELECT 1)", "is no word"),
        ("amount::text = 'x'", "'::' is no word"),
        ("CAST(amount AS text) = 'x'", "is no word"),
        ("date('2010-01-01') = pay_date", "there is no function date"),
        ("amount > 1; DROP TABLE x", "';' is no word"),
        ("amount > 1 -- c", "comments"),
        ("amount /* c */ > 1", "comments"),
        ("-- c", "comments"),
        ("amount > 1 /* /* */ OR 1=1", "is not closed"),
        ("", "an expression is expected"),
        ("   ", "an expression is expected"),
        ("amount >", "it cannot be read"),
        ("amount > 1 amount", "nothing that the rule language has"),
        ("(amount > 1", "it cannot be read"),
        ("amount > 1, amount > 2", "it cannot be read"),
        ("purpose = 'x", "a quotation mark or a comment is not closed"),
        ("purpose = E'x'", "is no word"),
        ("purpose = U&'x'", "is no word"),
        ("purpose = $$x$$", "is no word"),
        ("purpose = 'a' 'b'", "nothing that the rule language has"),
        ("purpose LIKE 'a%'", "'LIKE' is no word"),
        ("purpose ~ 'a'", "'~' is no word"),
        ("purpose || 'a' = 'b'", "'||' is no word"),
        ("purpose IS NULL", "is no word"),
        ("purpose = NULL", "is no word"),
        ("\"purpose\" = 'x'", "is no word"),
        ("CASE WHEN TRUE THEN FALSE END", "is no word"),
        ("amount > $1", "is no word"),
        ("amount > %s", "is no word"),
        ("amount > :x", "is no word"),
        ("amount > 1.5", "1.5: a number is an integer"),
        ("amount > 1e5", "1e5: a number is an integer"),
        ("amount > 1000000000000001", "a number is an integer (money in fen) up to"),
        ("purpose = 'a\x00b'", "control character"),
        ("NOT NOT (amount > 3)", "two 'NOT' follow each other"),
        ("amount > - - 3", "two '-' follow each other"),
        ("p.amount > 3", "p.amount: only this.amount is known"),
        ("this.amount > 3", "outside of a window's condition write amount"),
        ("(" * 30 + "amount > 3" + ")" * 30, "nested 30 deep; 24 is the most"),
        (" + ".join(["amount"] * 350) + " > 3", "words and signs; 600 are the most"),
        (" + ".join(["amount"] * 100) + " > 3", "nested more than 40 deep"),
        ("days(3) = 3", "days(…) belongs into past_count"),
        ("same(purpose)", "same(…) belongs into past_count"),
    ],
)
def test_refused(when: str, said: str) -> None:
    assert said in refusal_of_text(when)


def refusal_of_text(when: str) -> str:
    # A rule's form refuses empty and very long texts by itself: here it is the language's turn.
    asked = rule("TRUE").model_copy(update={"when": when})
    with pytest.raises(language.RuleError) as refused:
        language.compiled(asked, PAYMENTS)
    return str(refused.value)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("past_count() > 1", "past_count needs a span: days(n), this_day(), this_month() or this_year()"),
        ("past_count(amount > 3) > 1", "past_count needs a span"),
        ("past_count(days(0)) > 1", "days(n) takes a number from 1 to 400"),
        ("past_count(days(401)) > 1", "days(n) takes a number from 1 to 400"),
        ("past_count(days(amount)) > 1", "days(n) takes a number from 1 to 400"),
        ("past_count(this_day(3)) > 1", "this_day() takes no argument"),
        ("past_count(days(3), same()) > 1", "same(…) takes 1 to 8 fields"),
        ("past_count(days(3), same(amount + 1)) > 1", "same(…) takes 1 to 8 fields"),
        ("past_count(days(3), same(payee)) > 1", "there is no field payee"),
        ("past_count(days(3), same(amount, amount)) > 1", "names a field twice"),
        ("past_count(days(3), same(quota_exceeded)) > 1", "not known of earlier records"),
        ("past_count(days(3), same(cap)) > 1", "there is no field cap"),
        ("past_count(days(3), amount > 1, amount < 3) > 1", "too many arguments"),
        ("past_count(days(3), amount > 1, same(amount)) > 1", "too many arguments"),
        ("past_count(days(3), amount) > 1", "the condition of past_count must be true or false"),
        ("past_count(days(3), past_count(days(3)) > 1) > 1", "inside a window's condition"),
        ("past_count(days(3), own_account(payee_account)) > 1", "asks about the judged record"),
        ("past_count(days(3), this.cap > 1) > 1", "there is no field cap"),
        (
            "past_count(days(3), amount > 3 AND amount < 2) = 0",
            "the condition of past_count can never be true",
        ),
        ("past_sum(days(3)) > 1", "past_sum begins with a field"),
        ("past_sum(amount + 1, days(3)) > 1", "past_sum begins with a field"),
        ("past_sum(purpose, days(3)) > 1", "past_sum measures fen or integer, but purpose is text"),
        ("past_distinct(quota_exceeded, days(3)) > 1", "not known of earlier records"),
        (" OR ".join(["past_count(days(3)) > 1"] * 7), "looks at earlier records 7 times; 6 are the most"),
        ("past_count(days(3), across(payee_account)) > 1", "only a rule of the after stage may"),
    ],
)
def test_refused_window(when: str, said: str) -> None:
    assert said in refusal(when)


def test_no_window_before_payment() -> None:
    assert "an order is judged before it has its place" in refusal("past_count(days(3)) > 1", "before")
    assert "an order is judged before" in refusal("amount > 3", "before", exempt=["past_count(days(3)) > 1"])


def test_names_that_mean_something_already() -> None:
    named = {"amount": {"value": 1, "title": "数"}}
    assert "thresholds: amount already means something else" in refusal("amount > 3", thresholds=named)
    assert "lists: select already" in refusal("amount > 3", lists={"select": ["x"]})
    assert "lists: own_account already" in refusal("amount > 3", lists={"own_account": ["x"]})


def test_everything_wrong_is_said_at_once() -> None:
    said = refusal("amont > 3", exempt=["purpose = 1", "amount > 3", "x"])
    assert [part.split(":")[0] for part in said.split("; ") if part.startswith(("when", "exempt"))] == [
        "when",
        "exempt 1",
        "exempt 3",
    ]


def test_another_subject_is_refused() -> None:
    assert "the rule is about indicator" in refusal("amount > 3", "after", subject="indicator")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("amount > 5 AND amount < 3", "`amount > 5` and `amount < 3` contradict each other"),
        ("amount > 5 AND amount < 6", "contradict"),
        ("purpose = 'a' AND length(purpose) > 0 AND purpose = 'b'", "`purpose = 'a'` and `purpose = 'b'`"),
        ("amount BETWEEN 5 AND 3", "contradict"),
        ("amount >= cap AND amount < cap", "`amount >= cap` and `amount < cap`"),
        ("amount > cap AND amount < 5", "contradict"),
        ("month(pay_date) = 13", "`month(pay_date) = 13`"),
        ("past_count(days(2)) < 0", "can never be true"),
        ("NOT (amount > 3) AND amount = 4", "`NOT (amount > 3)` and `amount = 4`"),
        ("(amount = 1 OR amount = 2) AND amount > 2", "contradict"),
        ("one_of(purpose, words) AND purpose = 'x'", "contradict"),
        ("starts_with(exp_func_code, '301') AND exp_func_code = '302'", "contradict"),
        ("purpose IN ('a', 'b') AND purpose NOT IN ('b', 'a')", "contradict"),
        ("pay_date > DATE '2010-12-20' AND pay_date < DATE '2010-01-01'", "contradict"),
        ("own_account(payee_account) AND NOT own_account(payee_account)", "contradict"),
        ("amount < amount", "can never be true"),
        ("FALSE", "can never be true"),
        ("1 = 2", "can never be true"),
    ],
)
def test_contradiction_is_refused(when: str, said: str) -> None:
    assert said in refusal(when)


@pytest.mark.parametrize(
    "when",
    [
        "amount > 5 AND amount < 7",
        "amount > 5 OR amount < 3",
        "(amount = 1 OR amount = 2) AND amount > 1",
        "NOT (amount / 3 > 3) AND NOT (amount / 3 <= 3)",
        "purpose = 'a' AND payee_name = 'b'",
        "past_count(days(2), amount > this.amount) > 0 AND past_count(days(2), this.amount > amount) > 0",
        "2 * 3 = 7 OR amount > 1",
    ],
)
def test_no_contradiction(when: str) -> None:
    language.compiled(rule(when), PAYMENTS)


def test_exemption_that_leaves_nothing_is_refused() -> None:
    said = refusal("amount > 5", exempt=["amount > 3"])
    assert "nothing is left of the rule: `amount > 5` and `NOT (amount > 3)`" in said
