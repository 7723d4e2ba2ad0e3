import asyncio
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jincai import cli
from jincai.monitoring import examples
from jincai.monitoring.language import RuleError
from jincai.monitoring.rule_file import RuleFileError, load
from jincai_payment.monitored import PAYMENTS
from typer.testing import CliRunner

from tests.platform.conftest import Urls

CASH = """\
id: R2
title: 大额提现
title_en: Large cash
stage: during
level: orange
disposal: warn_with_attachment
reason: 大额现金
legal_basis: 示例
thresholds:
  cash_limit:
    value: 5_000_000
    title: 单笔现金上限
    overrides:
      - {division: "450100", value: 3_000_000}
lists:
  cash: ["2"]
when: >
  one_of(set_mode_code, cash)
  AND amount >= cash_limit
exempt:
  - when: contains(purpose, '救灾')
    reason: 救灾款
examples:
  fires:
    - note: 达到上限
      record: {set_mode_code: "2", amount: 3000000}
    - note: 别处上限高
      record: {set_mode_code: "2", amount: 5000000, division: "450200"}
  passes:
    - note: 平常
    - note: 救灾
      record: {set_mode_code: "2", amount: 3000000, purpose: 救灾帐篷}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RuleFileError) as refused:
        load(text, "R2.yml")
    return list(refused.value.problems)


def test_file_is_read() -> None:
    rule = load(CASH, "R2.yml")
    assert (rule.id, rule.thresholds["cash_limit"].value) == ("R2", 5_000_000)
    assert rule.thresholds["cash_limit"].overrides[0].division == "450100"
    assert rule.when.split() == ["one_of(set_mode_code,", "cash)", "AND", "amount", ">=", "cash_limit"]
    assert rule.examples.passes[0].record == {}


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("title: 大额提现", "title: 5", "R2.yml:2: title: a text is expected: write '5' in quotes"),
        ("title: 大额提现", "title:", "R2.yml:2: title: a text is expected, not an empty one"),
        ("stage: during", "stage: now", "R2.yml:4: stage: 'before', 'during' or 'after' is expected"),
        ("level: orange", "levle: orange", "R2.yml:5: levle: there is no such key; there are: id, title,"),
        ("level: orange\n", "", "R2.yml:1: level: is missing"),
        ("disposal: warn_with_attachment", "disposal: hold", "does not fit stage during"),
        ("value: 5_000_000", "value: 5.5", "R2.yml:11: thresholds.cash_limit.value: an integer is expected"),
        ("cash_limit:\n", "Limit:\n", "R2.yml:10: thresholds.Limit: a name is expected"),
        (
            'division: "450100"',
            "division: 450100",
            "0.division: a text is expected: write '450100' in quotes",
        ),
        (
            'division: "450100", ',
            "",
            "R2.yml:14: thresholds.cash_limit.overrides.0: an override names a division",
        ),
        ('["2"]', "[2]", "R2.yml:16: lists.cash.0: a text is expected: write '2' in quotes"),
        ('["2"]', "two", "R2.yml:16: lists.cash: a list is expected"),
        ("exempt:\n  -", "exempt:\n   ", "exempt: a list is expected"),
        (
            "    reason: 救灾款",
            "    reson: 救灾款",
            "exempt.0.reson: there is no such key; there are: when, reason",
        ),
        (
            '{set_mode_code: "2", amount: 3000000}',
            "{amount: [1]}",
            "fires.0.record.amount: a text, an integer",
        ),
        (
            "note: 平常",
            "note: 平常\n      reccord: {}",
            "passes.0.reccord: there is no such key; there are: note, record",
        ),
        ("  passes:", "  pases:", "examples.passes: is missing"),
        ("title: 大额提现", "id: R3", "R2.yml:2: id stands twice, first in line 1"),
        ("title: 大额提现", "title: &x 大额", "R2.yml:2: anchors (&) and aliases (*) are not used here"),
        ("title: 大额提现", "title: *x", "R2.yml:2: anchors (&) and aliases (*) are not used here"),
        ("title: 大额提现", "title: !!python/name:os.system x", "R2.yml:2: tags (!) are not used here"),
        ("title: 大额提现", "title: !x 大额", "R2.yml:2: tags (!) are not used here"),
        ("title: 大额提现", "title: '大额", "R2.yml:"),
        ("title: 大额提现", "---\ntitle: 大额", "R2.yml:2: a second document"),
        ("title: 大额提现", "? [a]\n: b", "R2.yml:2: a key is a word"),
        ("title: 大额提现", "<<: {title: a}", "R2.yml:2: <<: there is no such key"),
        ("title: 大额提现", f"title: {'[' * 20}{']' * 20}", "nested more than 16 deep"),
        ("title: 大额提现", "title: 2016-02-31", "R2.yml:2: 2016-02-31 is no date"),
        ("id: R2\n", "title_en: x\nid: R2\n", "title_en stands twice"),
        ("id: R2\ntitle: 大额提现", "title: 大额提现\nid: R2", "R2.yml:2: id: must be the first key"),
    ],
)
def test_mistake_is_told_by_line(was: str, becomes: str, said: str) -> None:
    assert was in CASH
    found = problems(CASH.replace(was, becomes, 1))
    assert any(said in one for one in found), found


def test_all_mistakes_at_once_and_not_too_many() -> None:
    text = CASH.replace("level: orange", "level: pink").replace("stage: during", "stage: x")
    assert [one.split(":")[1] for one in problems(text)] == ["4", "5"]
    many = "\n".join(f"x{n}: 1" for n in range(30))
    found = problems(CASH + many)
    assert len(found) == 21
    assert found[-1] == "… and 10 more"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a\n", "a text", "id: R1\n" + "#" * 70_000, "\x00", "a: \x01"]
)
def test_what_is_no_rule_at_all(text: str) -> None:
    assert problems(text)[0].startswith("R2.yml:1: ")


def test_bomb_of_aliases_does_not_go_off() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(
        f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert problems(bomb) == [
        "R2.yml:1: anchors (&) and aliases (*) are not used here: write it out, or in quotes"
    ]


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(), max_size=40) | st.text("[]{}:,-?&*!|>'\"#%@` \n\ta1", max_size=40),
    st.integers(0, len(CASH)),
)
def test_any_text_is_a_rule_or_a_told_mistake(text: str, place: int) -> None:
    for whole in (text, CASH[:place] + text + CASH[place:]):
        told: tuple[str, ...] = ()
        try:
            load(whole, "R2.yml")
        except RuleFileError as refused:
            told = refused.problems
        assert all(one.startswith(("R2.yml:", "… and")) for one in told)


def test_codes_stay_as_written() -> None:
    text = CASH.replace('["2"]', "[010000, yes, 1:30, 0x10, 1e3, ~]")
    assert load(text, "R2.yml").lists["cash"] == ("010000", "yes", "1:30", "0x10", "1e3", "~")


# ---- examples ----------------------------------------------------------------------------------------------
def failures(url: str, text: str) -> list[str]:
    async def run() -> list[examples.Failure]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as cx:
            return await examples.failures(cx, load(text, "R2.yml"), PAYMENTS)

    return [str(one) for one in asyncio.run(run())]


def test_examples_hold(database: Urls) -> None:
    assert failures(database.app, CASH) == []


def test_example_that_does_not_do_what_it_says(database: Urls) -> None:
    text = CASH.replace("amount: 3000000}\n    - note: 别处", "amount: 2999999}\n    - note: 别处")
    text = text.replace("purpose: 救灾帐篷", "purpose: 会议")
    assert failures(database.app, text) == [
        "examples.fires 1 (达到上限) did not make the rule fire",
        "examples.passes 2 (救灾) made the rule fire",
    ]


def test_year_follows_the_date_unless_named(database: Urls) -> None:
    text = CASH.replace("amount >= cash_limit", "fiscal_year = 2010")
    text = text.replace("amount: 3000000}\n    - note: 别处", "pay_date: 2010-05-05}\n    - note: 别处")
    text = text.replace("amount: 5000000", "pay_date: 2016-05-05, fiscal_year: 2010")
    assert failures(database.app, text) == []


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (
            '{set_mode_code: "2", amount: 3000000}',
            "{amuont: 1}",
            "examples.fires 1: record: there is no field amuont",
        ),
        (
            '{set_mode_code: "2", amount: 3000000}',
            "{amount: x}",
            "amount: 'x' stands where an amount in fen is",
        ),
        (
            '{set_mode_code: "2", amount: 3000000}',
            "{amount: true}",
            "amount: True stands where an amount in fen",
        ),
        (
            '{set_mode_code: "2", amount: 3000000}',
            "{set_mode_code: 2}",
            "text is expected: write '2' in quotes",
        ),
        ('{set_mode_code: "2", amount: 3000000}', "{amount: 9999999999999999999}", "is too large"),
        ('{set_mode_code: "2", amount: 3000000}', '{purpose: "a\\0"}', "no text of the database can hold"),
        (
            "note: 平常",
            "note: 平常\n      earlier: [{x: 1}]",
            "examples.passes 1: earlier 1: there is no field x",
        ),
        (
            "note: 平常",
            "note: 平常\n      lookups: {own: 1}",
            "examples.passes 1: lookups: there is no register own",
        ),
        (
            "note: 平常",
            "note: 平常\n      lookups: {own_account: 1}",
            "own_account: 1 stands where true or false is",
        ),
    ],
)
def test_example_of_what_there_is_not(database: Urls, was: str, becomes: str, said: str) -> None:
    with pytest.raises(RuleError) as refused:
        failures(database.app, CASH.replace(was, becomes, 1))
    assert said in str(refused.value)


# ---- jincai rules check ------------------------------------------------------------------------------------
def check(monkeypatch: pytest.MonkeyPatch, url: str, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("JINCAI_DATABASE_URL", url)
    found = CliRunner().invoke(cli.app, ["rules", "check", *arguments])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_command_says_which_files_are_good(
    tmp_path: Path, database: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, form, meaning, example = (
        tmp_path / f"{name}.yml" for name in ("good", "form", "meaning", "example")
    )
    good.write_text(CASH)
    form.write_text(CASH.replace("level: orange", "level: pink"))
    meaning.write_text(CASH.replace("amount >= cash_limit", "amount >= cash_limt"))
    example.write_text(CASH.replace("purpose: 救灾帐篷", "purpose: 会议"))
    assert check(monkeypatch, database.app, str(good)) == (0, f"{good}: R2 大额提现: good, 4 examples\n")
    code, output = check(monkeypatch, database.app, *map(str, (good, form, meaning, example)))
    assert code == 1
    assert f"{form}:5: level: 'yellow', 'orange' or 'red' is expected" in output
    assert f"{meaning}: when: there is no name cash_limt, perhaps cash_limit is meant" in output
    assert f"{example}: examples.passes 2 (救灾) made the rule fire" in output
    # Without a database the words are checked, the examples are not.
    code, output = check(monkeypatch, "postgresql:///nowhere?host=/nowhere", "--no-examples", str(example))
    assert (code, output) == (0, f"{example}: R2 大额提现: compiles\n")


def test_examples_write_nothing(database: Urls) -> None:
    with psycopg.connect(database.app, autocommit=True) as cx:
        cx.execute("SET default_transaction_read_only = on")
        assert examples.failures_now(cx, load(CASH, "R2.yml"), PAYMENTS) == []
