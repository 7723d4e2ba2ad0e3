"""Publishing rules: by a second person, checked once more, into editions of which none is lost."""

import asyncio
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from httpx import Response
from jincai.monitoring.store import cost

from tests.platform.desk import Person
from tests.platform.posting import make_quota, order, posted, shown, token_for_all
from tests.platform.rule_texts import RULES, begun, new_id, publish, text

EDITIONS = "/api/v1/monitor/editions"


@pytest.fixture
def books(database) -> Iterator[psycopg.Connection]:
    with shown(database.owner, token_for_all(database.owner)) as cx:
        yield cx


@pytest.fixture(scope="module")
def maker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_draft", actor="maker"))


@pytest.fixture(scope="module")
def checker(client, session) -> Person:
    return Person(client, session("monitor.read", "monitor.rule_publish", actor="checker"))


def newest(person: Person) -> dict[str, object]:
    """The edition in force; before the first one number 0 without rules."""
    items = person.get(EDITIONS, limit=1).json()["items"]
    return items[0] if items else {"number": 0, "rules": []}


def live(maker: Person, checker: Person, **more: object) -> dict[str, object]:
    """A rule in force; its first version."""
    draft = begun(maker, new_id())
    answer = publish(checker, draft, **more)
    assert answer.status_code == 200, answer.text
    return draft


def changed(maker: Person, rule: object, least: int) -> dict[str, object]:
    """A draft of the rule's next version."""
    return begun(maker, str(rule), text(str(rule), least=least))


def refused(answer: Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    for word in words:
        assert word in answer.json()["detail"], answer.json()["detail"]


def test_a_publication_makes_the_next_edition_and_keeps_the_rest(maker, checker, books) -> None:
    other = live(maker, checker)
    before = newest(checker)
    draft = begun(maker, new_id())
    edition = publish(checker, draft, reason="新规则").json()
    assert edition["number"] == before["number"] + 1
    assert (edition["published_by"], edition["reason"]) == ("checker", "新规则")
    assert edition["rules"] == sorted(
        [*before["rules"], [draft["rule"], 1, False]], key=lambda one: int(one[0][1:])
    )
    assert [other["rule"], 1, False] in edition["rules"]
    version = checker.get(f"{RULES}/{draft['rule']}/versions/1").json()
    assert (version["state"], version["published_by"]) == ("published", "checker")
    lines = sorted(
        (rule, number, shadow, hashlib.sha256(source.encode()).hexdigest())
        for rule, number, shadow, source in books.execute(
            "SELECT rule, version, shadow, source FROM monitor.edition_rule"
            " JOIN monitor.rule_version USING (rule, version) WHERE edition = %s",
            (edition["number"],),
        ).fetchall()
    )
    said = "".join(f"{rule} {number} {int(shadow)} {sha}\n" for rule, number, shadow, sha in lines)
    assert edition["digest"] == hashlib.sha256(said.encode()).hexdigest()
    assert checker.get(f"{EDITIONS}/{edition['number']}").json() == edition
    assert publish(checker, draft).json() == edition


def test_a_new_version_replaces_the_live_one(maker, checker) -> None:
    first = live(maker, checker)
    edition = publish(checker, changed(maker, first["rule"], 1_000)).json()
    assert [one for one in edition["rules"] if one[0] == first["rule"]] == [[first["rule"], 2, False]]


def test_a_shadow_stands_beside_the_live_one_and_then_takes_its_place(maker, checker) -> None:
    rule = live(maker, checker)["rule"]
    edition = publish(checker, changed(maker, rule, 1_000), shadow=True).json()
    assert [one for one in edition["rules"] if one[0] == rule] == [[rule, 1, False], [rule, 2, True]]
    (line,) = [one for one in checker.get(RULES).json() if one["rule"] == rule]
    assert (line["live"], line["shadow"], line["draft"]) == (1, 2, None)
    edition = checker.post(f"{RULES}/{rule}/put", {"version": 2, "reason": "试运行合格"}).json()
    assert [one for one in edition["rules"] if one[0] == rule] == [[rule, 2, False]]
    refused(checker.post(f"{RULES}/{rule}/put", {"version": 2, "reason": "再来"}), 409, "没有改变")
    assert newest(checker)["number"] == edition["number"]
    # What was in force before may come back, and a second trial replaces the first.
    edition = checker.post(f"{RULES}/{rule}/put", {"version": 1, "reason": "恢复"}).json()
    assert [one for one in edition["rules"] if one[0] == rule] == [[rule, 1, False]]


def test_a_trial_ends_and_a_rule_is_withdrawn(maker, checker) -> None:
    rule = live(maker, checker)["rule"]
    publish(checker, changed(maker, rule, 1_000), shadow=True)
    edition = checker.post(f"{RULES}/{rule}/shadow/end", {"reason": "不合格"}).json()
    assert [one for one in edition["rules"] if one[0] == rule] == [[rule, 1, False]]
    refused(checker.post(f"{RULES}/{rule}/shadow/end", {"reason": "不合格"}), 409)
    edition = checker.post(f"{RULES}/{rule}/withdraw", {"reason": "制度废止"}).json()
    assert [one for one in edition["rules"] if one[0] == rule] == []
    refused(checker.post(f"{RULES}/{rule}/withdraw", {"reason": "制度废止"}), 409)
    assert checker.get(f"{RULES}/{rule}").json()["rule"]["live"] is None


def test_whoever_had_a_hand_in_it_cannot_publish(client, session, maker, checker, books) -> None:
    both = Person(client, session("monitor.rule_draft", "monitor.rule_publish", actor="both"))
    before = newest(checker)
    own = begun(both, new_id())
    refused(publish(both, own), 403, "由他人发布")
    touched = begun(maker, new_id())
    path = f"{RULES}/{touched['rule']}/draft"
    saved = both.put(path, {"revision": 1, "source": text(str(touched["rule"]), least=3)}).json()
    refused(publish(both, saved), 403, "由他人发布")
    refused(publish(maker, touched), 403, "monitor.rule_publish")
    assert newest(checker) == before
    # Nor may they put it in force later, nor in SQL.
    assert publish(checker, saved, shadow=True).status_code == 200
    refused(both.post(f"{RULES}/{touched['rule']}/put", {"version": 1, "reason": "转正"}), 403)
    with pytest.raises(psycopg.errors.CheckViolation, match="rule_two_people"):
        books.execute(
            "UPDATE monitor.rule_version SET state = 'published', published_by = 'both', published_at = now()"
            " WHERE rule = %s",
            (own["rule"],),
        )


@pytest.mark.parametrize("why", ["", "  ", None, "x" * 201])
def test_a_reason_is_needed(maker, checker, why) -> None:
    rule = live(maker, checker)["rule"]
    before = newest(checker)
    for step in ("withdraw", "shadow/end"):
        assert checker.post(f"{RULES}/{rule}/{step}", {"reason": why}).status_code == 422
    assert publish(checker, begun(maker, new_id()), reason=why).status_code == 422
    assert newest(checker) == before


def test_what_changed_meanwhile_is_not_published(maker, checker) -> None:
    draft = begun(maker, new_id())
    path = f"{RULES}/{draft['rule']}/draft"
    maker.put(path, {"revision": 1, "source": text(str(draft["rule"]), least=3)})
    refused(publish(checker, draft), 409, "第2次修订")
    maker.post(f"{path}/discard", {"revision": 2})
    refused(publish(checker, draft), 409, "已撤销")
    assert publish(checker, draft | {"version": 2}).status_code == 404
    refused(checker.post(f"{RULES}/{draft['rule']}/put", {"version": 1, "reason": "x"}), 409, "尚未发布")


def test_nobody_changes_what_is_published(maker, checker, database, books) -> None:
    draft = live(maker, checker)
    given = {"rule": draft["rule"], "number": newest(checker)["number"]}
    statements = (
        "UPDATE monitor.rule_version SET source = 'x' WHERE rule = %(rule)s",
        "UPDATE monitor.rule_version SET state = 'discarded' WHERE rule = %(rule)s",
        "DELETE FROM monitor.rule_version WHERE rule = %(rule)s",
        "UPDATE monitor.edition SET reason = 'x' WHERE number = %(number)s",
        "DELETE FROM monitor.edition_rule WHERE edition = %(number)s",
        "UPDATE monitor.edition_rule SET shadow = true WHERE edition = %(number)s",
        "TRUNCATE monitor.edition CASCADE",
    )
    with psycopg.connect(database.app, autocommit=True) as app:
        for cx in (books, app):
            for statement in statements:
                with pytest.raises(psycopg.Error) as caught:
                    cx.execute(statement, given)
                assert caught.value.sqlstate in {"JC002", "42501"}, statement


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (lambda rule: text(rule) + "title: [\n", ("行",)),
        (lambda rule: text(rule, more="colour: red\n"), ("colour",)),
        (lambda rule: text(rule, when="colour > least"), ("colour",)),
        (lambda _: text("R9999"), ("R9999", "第1行")),
        (lambda rule: text(rule, when="amount < 3 AND amount > 5"), ("第17行", "amount")),
        (lambda rule: text(rule, when="past_count(this_day()) > 0").replace("during", "before")
         .replace("disposal: warn", "disposal: hold"), ("before stage",)),
        (lambda rule: text(rule).replace("{amount: 5000000}", "{colour: 1}"), ("第21行", "colour")),
        (lambda rule: text(rule, when="amount > least"), ("示例矛盾", "达到限额")),
        (lambda rule: text(rule).replace("during", "after\nsubject: indicator"), ("no name amount",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_not_published_and_the_edition_stays(maker, checker, source, words) -> None:
    before = newest(checker)
    rule = new_id()
    draft = begun(maker, rule, source(rule))
    refused(publish(checker, draft), 422, *words)
    assert newest(checker) == before
    assert checker.get(f"{RULES}/{rule}/draft").json() == draft


@pytest.fixture(scope="module")
def payments(database) -> int:
    """Payments that rules can be tried on."""
    token = token_for_all(database.owner)
    with shown(database.app, token) as cx:
        quota = make_quota(cx, 10_000_000)
    decided = asyncio.run(posted(database.app, token, [order(quota, 100 + n) for n in range(60)]))
    return len(decided)


def test_a_trial_says_what_a_rule_costs(maker, payments) -> None:
    draft = begun(maker, new_id())
    found = maker.post(f"{RULES}/{draft['rule']}/versions/1/try", {}).json()
    assert (found["records"], found["mistakes"]) == (payments, [])
    assert found["microseconds"] >= 0


@pytest.mark.usefixtures("payments")
@pytest.mark.parametrize(
    ("limit", "words"),
    [
        # Less than nothing: even a rule too quick to be measured is then too slow.
        ("MICROSECONDS_MOST", ("实测每笔", "上限-1微秒", "same(payee_account")),
        ("PLANNED_MOST", ("估算每笔成本", "缩小时间窗口")),
    ],
)
def test_a_slow_rule_is_refused(maker, checker, monkeypatch, limit, words) -> None:
    draft = begun(maker, new_id())
    before = newest(checker)
    monkeypatch.setattr(cost, limit, -1.0)
    monkeypatch.setattr(cost, "FREE_MILLISECONDS", -1.0)
    refused(publish(checker, draft), 422, *words)
    (mistake,) = maker.post(f"{RULES}/{draft['rule']}/versions/1/try", {}).json()["mistakes"]
    assert words[0] in mistake["zh"]
    assert newest(checker) == before
    monkeypatch.undo()
    assert publish(checker, draft).status_code == 200


@pytest.mark.usefixtures("payments")
def test_a_trial_that_does_not_end_is_stopped(maker, checker, monkeypatch) -> None:
    draft = begun(maker, new_id())
    monkeypatch.setattr(cost, "_asked", lambda *_: b"SELECT 1 FROM pg_sleep(30)")
    monkeypatch.setattr(cost, "TRIAL_MILLISECONDS", 50)
    refused(publish(checker, draft), 422, "未在")
    monkeypatch.undo()
    assert publish(checker, draft).status_code == 200


@pytest.mark.usefixtures("payments")
def test_a_rule_that_fails_on_a_payment_is_refused(maker, checker, monkeypatch) -> None:
    draft = begun(maker, new_id())
    measure = cost.measure

    async def dividing(cx, _, vocabulary):
        return await measure(cx, "1 / (p.amount - p.amount) = 1", vocabulary)

    monkeypatch.setattr(cost, "measure", dividing)
    refused(publish(checker, draft), 422, "运行出错")


def test_publications_at_once_each_make_an_edition(client, session, maker, checker) -> None:
    drafts = [begun(maker, new_id()) for _ in range(8)]
    before = newest(checker)["number"]
    people = [Person(client, session("monitor.rule_publish", actor=f"checker-{n}")) for n in range(4)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: publish(people[n % 4], drafts[n]), range(8)))
    assert {one.status_code for one in answers} == {200}
    assert sorted(one.json()["number"] for one in answers) == list(range(before + 1, before + 9))
    kept = {rule for rule, _, _ in newest(checker)["rules"]}
    assert {one["rule"] for one in drafts} <= kept


def test_one_draft_published_by_many_at_once_is_published_once(client, session, maker, checker) -> None:
    draft = begun(maker, new_id())
    before = newest(checker)["number"]
    people = [Person(client, session("monitor.rule_publish", actor=f"checker-{n}")) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: publish(one, draft), people))
    assert sorted(one.status_code for one in answers) == [200, *[409] * 5]
    assert newest(checker)["number"] == before + 1


def test_payments_go_on_while_rules_are_published(maker, database, books) -> None:
    token = token_for_all(database.owner)
    quota = make_quota(books, 1_000)
    draft = begun(maker, new_id())
    with psycopg.connect(database.owner) as publishing:
        publishing.execute("SELECT pg_advisory_xact_lock(%s)", (0x72756C6573,))
        publishing.execute(
            "INSERT INTO monitor.edition (number, digest, reason, published_by)"
            " SELECT max(number) + 1, sha256('x'), 'x', 'x' FROM monitor.edition"
        )
        publishing.execute("SELECT FROM monitor.rule_version WHERE rule = %s FOR UPDATE", (draft["rule"],))
        decided = asyncio.run(posted(database.app, token, [order(quota, 1)]))
        publishing.rollback()
    assert len(decided) == 1
