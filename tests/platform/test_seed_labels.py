"""Labelled violations of the seeded year: what breaks which rule, by label, by definition and by alert."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from jincai.monitoring.rule import Rule
from jincai_payment.year import command, labels, measure, oracle, replay
from jincai_payment.year.generate import DIVISIONS, SeedYear
from jincai_payment.year.labels import BEFORE, DURING, NEAR
from jincai_payment.year.oracle import Expected
from jincai_payment.year.rule_data import RuleData, shipped

from tests.platform.conftest import new_database
from tests.platform.posting import shown, token_for_all
from tests.platform.ruling import put_in_force
from tests.platform.ruling import shipped as sources

MEAN = 54_173_516
SMALL = SeedYear(payments=3_000, fen=3_000 * MEAN, every=40)


def quiet(_: int) -> None:
    """No progress to be seen."""


@pytest.fixture(scope="module")
def expected() -> Expected:
    return oracle.run(SMALL)


def test_every_rule_has_its_turn_and_labels_do_not_touch() -> None:
    year = SeedYear()
    number = sum(count // labels.EVERY for count in year.counts.values())
    places = year.labels.places.values()
    last = Counter(place.label for place in places if place.label)
    near = Counter(place.rule for place in places if place.near and place.last)
    after = Counter(year.labels.further.values())
    for turns, rules in ((last, DURING), (near, NEAR), (after, BEFORE)):
        assert set(turns) == set(rules)
        assert sum(turns.values()) == number
        assert max(turns.values()) - min(turns.values()) <= 1
    for n, place in year.labels.places.items():
        after_it = year.labels.places.get(n + 1)
        if place.last:
            assert after_it is None
        else:
            assert after_it == (place.rule, place.member + 1, place.size, place.near)
    assert not year.labels.places.keys() & year.labels.further.keys()


def test_each_labelled_order_breaks_its_rule_and_no_other(expected) -> None:
    by_key: dict[str, set[str]] = {}
    for key, rule in expected.alerts:
        by_key.setdefault(key, set()).add(rule)
    made = expected.labels.items()
    assert {key: (rule, by_key.get(key)) for key, rule in made if by_key.get(key) != {rule}} == {}


def test_what_is_not_labelled_breaks_nothing_that_stops_it(expected) -> None:
    stopped = {key for key, rule in expected.labels.items() if shipped().stopping(rule)}
    assert expected.stopped.keys() == stopped
    assert expected.alerts <= set(expected.labels.items())


def test_the_further_orders_are_beyond_the_payments() -> None:
    made = [one for division in DIVISIONS for one in SMALL.orders(division)]
    stopping = [one for one in made if one.label in BEFORE]
    assert len(stopping) == len(SMALL.labels.further) == SMALL.orders_in_all - SMALL.payments
    assert len(stopping) > 2 * len(BEFORE)
    posting = [one.order.amount for one in made if one.label not in BEFORE]
    assert (len(posting), sum(posting)) == (SMALL.payments, SMALL.fen)
    assert len({one.order.idempotency_key for one in made}) == len(made)


def test_a_changed_threshold_moves_its_labels() -> None:
    """Cash is large from three times the sum on: what is made to be large is so still."""
    rules = dict(shipped().rules)
    source = rules["R2"].model_dump()
    name, least = _large_cash(rules["R2"])
    source["thresholds"][name]["value"] = 3 * least
    rules["R2"] = Rule.model_validate(source)
    year = SeedYear(payments=3_000, fen=3_000 * MEAN, every=40, rules=RuleData(rules))
    made = [one.order.amount for division in DIVISIONS for one in year.orders(division) if one.label == "R2"]
    assert made
    assert min(made) >= 3 * least


def _large_cash(rule: Rule) -> tuple[str, int]:
    ((name, threshold),) = rule.thresholds.items()
    return name, threshold.value


def test_a_measure_tells_what_was_missed_and_what_was_too_much() -> None:
    found = measure.compare(
        shipped(),
        Expected(
            alerts={("a", "R2"), ("b", "R2"), ("c", "R2"), ("h", "R1")},
            stopped={"h": "held"},
            labels={"a": "R2", "b": "R2", "h": "R1"},
        ),
        flagged={("a", "R2"), ("c", "R2"), ("x", "R2")},
        stopped={"x": "forbidden"},
    )
    large = next(line for line in found.lines if line.rule == "R2")
    assert (large.labelled, large.found, large.expected, large.flagged, large.right) == (2, 1, 3, 3, 2)
    assert (large.recall, large.precision) == (1 / 2, 2 / 3)
    assert found.decisions == {("held", "posted"): 1, ("posted", "forbidden"): 1}
    assert not large.exact
    assert not found.exact


@pytest.fixture(scope="module")
def replayed(database) -> replay.Replayed:
    put_in_force(database.owner, *sources())
    return replay.run(database.app, database.owner, SMALL, quiet)


def test_rules_flag_and_stop_just_what_breaks_them(database, replayed, expected) -> None:
    with shown(database.app, token_for_all(database.owner)) as cx:
        found = measure.measure(cx, SMALL, expected)
    assert {line.rule for line in found.lines if line.labelled} == {*DURING, *BEFORE}
    assert [line for line in found.lines if not line.exact] == []
    assert found.exact
    stopped = Counter(expected.stopped.values())
    counts = replayed.counts
    assert (counts.posted, counts.again, counts.refused) == (SMALL.payments, 0, 0)
    assert (counts.held, counts.forbidden) == (stopped["held"], stopped["forbidden"])
    assert sum(line.paid for line in replayed.lines) == SMALL.fen
    assert all(line.agrees for line in replayed.lines)


def test_again_nothing_changes(database, replayed) -> None:
    with shown(database.app, token_for_all(database.owner)) as cx:
        before = measure.alert_keys(cx)
        again = replay.run(database.app, database.owner, SMALL, quiet)
        assert again.counts == replay.Counts(again=SMALL.orders_in_all)
        assert list(again.lines) == list(replayed.lines)
        assert measure.alert_keys(cx) == before
        twice = "SELECT division FROM payment.own_account GROUP BY division, account HAVING count(*) > 1"
        assert cx.execute(twice).fetchall() == []


@pytest.mark.usefixtures("replayed")
def test_the_command_shows_the_rules_of_a_year_that_is_there(database, capsys) -> None:
    assert command.run(database.app, database.owner, SMALL.payments, rules_only=True)
    told = capsys.readouterr().out
    assert "posted" not in told
    for line in ("R14", "orders to be held were held", "alerts are just what the rules define"):
        assert line in told


@pytest.fixture(scope="module")
def three(server) -> Iterator[list[tuple[str, str]]]:
    with ExitStack() as stack:
        made = [stack.enter_context(new_database(server)) for _ in range(3)]
        yield [(one.app, one.owner) for one in made]


def test_alerts_are_the_same_one_by_one_and_in_batches_of_any_size(three, monkeypatch) -> None:
    found = []
    year = SeedYear(payments=2_000, fen=2_000 * MEAN, every=30)
    for (app, owner), size in zip(three, (1, 10, 8_000), strict=True):
        put_in_force(owner, *sources())
        monkeypatch.setattr(replay, "BATCH", size)
        replay.run(app, owner, year, quiet)
        with shown(app, token_for_all(owner)) as cx:
            found.append((measure.alert_keys(cx), measure.stopped_keys(cx)))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) > len(year.labels.further) > 0
