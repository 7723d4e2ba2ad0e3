"""The sheet, its schedule, what proves what, ranking, funding, bulletins, and the made-up year."""

import datetime as dt
import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pydantic import ValidationError

from rollout.clock import SHANGHAI
from rollout.errors import ConfigurationError, VerificationError
from rollout.inventory import load as load_inventory
from rollout.paths import Home, content
from rollout.progress import pages, plan, report, sheet, workbook
from rollout.progress.assess import SiteSheet, assess
from rollout.progress.bulletin import bulletin
from rollout.progress.evidence import prove
from rollout.progress.facts import (
    Accepted,
    Applied,
    Audited,
    Entry,
    Found,
    Recheck,
    SiteFacts,
    Statement,
    Visit,
    Withdrawal,
)
from rollout.progress.ledger import Ledger
from rollout.progress.plan import Plan
from rollout.progress.ranking import funding, rank
from rollout.progress.schedule import ahead, back, between, schedule
from rollout.progress.simulate import year
from rollout.progress.sources import gather
from rollout.release.sign import Keyring
from rollout.waves.days import Calendar
from tests.unit.test_apply_journal import a_journal_with_a_run

SHEET = sheet.load()
GO_LIVE = date(2010, 9, 30)
PLAN = Plan(go_live={"nanning": GO_LIVE, "liuzhou": GO_LIVE})
DAYS = st.dates(date(2009, 1, 1), date(2012, 1, 1))
CALENDAR = Calendar(holidays=[date(2010, 10, n) for n in range(1, 8)], workdays=[date(2010, 10, 9)])


def at(day: date) -> datetime:
    return datetime.combine(day, dt.time(10), SHANGHAI)


def stated(part: str, day: date, site: str = "nanning") -> Statement:
    return Statement(site=site, part=part, by="张三", at=at(day), file="a.pdf", sha256="a" * 64)


def assessed(entries: list[Entry], day: date, site: str = "nanning") -> SiteSheet:
    return assess(SHEET, PLAN, SiteFacts(site=site, entries=entries), "南宁市", day)


def test_thirteen_items_fifty_one_sub_items_a_hundred_points() -> None:
    assert len(SHEET.items) == 13
    assert len(SHEET.parts) == 51
    assert sum(part.weight for part in SHEET.parts.values()) == 100
    assert all(item.lead and item.cooperating for item in SHEET.items)
    with pytest.raises(ValidationError, match="12 items"):
        sheet.Sheet.model_validate({"items": [item.model_dump() for item in SHEET.items[1:]]})


@given(DAYS, st.integers(0, 60))
def test_ahead_and_back_count_working_days(day: date, count: int) -> None:
    later = ahead(CALENDAR, day, count)
    assert between(CALENDAR, day, later) == count
    assert between(CALENDAR, back(CALENDAR, day, count) - timedelta(days=1), day - timedelta(days=1)) == count


@given(DAYS)
def test_the_countdown_keeps_every_order_and_ends_on_the_day(go_live: date) -> None:
    dates = schedule(SHEET, CALENDAR, go_live)
    assert max(dates.ends.values()) == go_live
    for item in SHEET.items:
        assert dates.begins[item.id] == back(CALENDAR, dates.ends[item.id], item.days)
        assert all(dates.ends[other] <= dates.begins[item.id] for other in item.after)
        due = [dates.due[part.id] for part in item.parts]
        assert due == sorted(due)
        assert due[-1] == dates.ends[item.id]


def test_statements_count_until_withdrawn_and_not_before_their_day() -> None:
    entries: list[Entry] = [
        stated("1.1", date(2010, 3, 1)),
        Withdrawal(site="nanning", part="1.1", by="李四", at=at(date(2010, 3, 10)), note="签字不全"),
    ]
    assert assessed(entries, date(2010, 2, 28)).score == 0
    assert assessed(entries, date(2010, 3, 1)).line("1.1").state == "done"
    line = assessed(entries, date(2010, 3, 10)).line("1.1")
    assert line.state != "done"
    assert "李四: 签字不全" in line.by


def test_a_machine_proves_what_it_can_know() -> None:
    day = date(2010, 8, 1)
    facts = SiteFacts(
        site="nanning",
        applied=[Applied(at=at(day), run="r1", verb="apply", steps=["backup", "edge"])],
        audited=[
            Audited(at=at(day), report="1.json", uniform=True, running=["jincai", "postgresql"], wrong=[]),
            Audited(
                at=at(day + timedelta(1)),
                report="2.json",
                uniform=False,
                running=["jincai"],
                wrong=["jincai"],
            ),
        ],
        accepted=[Accepted(at=at(day), accepted=True, contact=True, link=False)],
    )

    def proved(part: str, moment: datetime) -> bool:
        return prove(SHEET.parts[part], facts, moment).since is not None

    parts = ("6.3", "7.1", "7.3", "5.5", "5.4", "4.2", "6.4", "6.1")
    assert [part for part in parts if proved(part, at(day))] == ["6.3", "7.1", "7.3", "5.5", "5.4"]
    # The newest audit counts: what is no longer so is no longer proved.
    assert not proved("7.1", at(day + timedelta(1)))
    assert not proved("7.3", at(day + timedelta(1)))
    assert "run r1" in prove(SHEET.parts["6.3"], facts, at(day)).by


def test_a_finding_past_its_deadline_takes_the_points_until_it_is_put_right() -> None:
    found = Found(
        id="0badcafe",
        site="nanning",
        part="1.1",
        severity="major",
        text="责任不明",
        deadline=date(2010, 4, 1),
        at=at(date(2010, 3, 5)),
    )
    visit = Visit(site="nanning", team=["王五"], day=date(2010, 3, 5), at=at(date(2010, 3, 5)))
    entries: list[Entry] = [stated("1.1", date(2010, 3, 1)), visit, found]
    assert assessed(entries, date(2010, 4, 1)).line("1.1").state == "done"
    late = assessed(entries, date(2010, 4, 2))
    assert late.line("1.1").state == "blocked"
    assert (late.score, len(late.overdue)) == (0, 1)
    still = Recheck(id="0badcafe", good=False, by="王五", at=at(date(2010, 4, 3)))
    assert assessed([*entries, still], date(2010, 4, 4)).line("1.1").state == "blocked"
    good = Recheck(id="0badcafe", good=True, by="王五", at=at(date(2010, 4, 5)))
    assert assessed([*entries, still, good], date(2010, 4, 5)).line("1.1").state == "done"


def test_lateness_in_working_days_and_the_forecast() -> None:
    dates = schedule(SHEET, PLAN.calendar, GO_LIVE)
    day = ahead(PLAN.calendar, dates.due["1.1"], 3)
    assert assessed([], day).line("1.1").late == 3
    assert assessed([], day).line("1.1").state == "late"
    assert assessed([], day).forecast is None
    in_time = [stated(part, dates.due[part]) for part, due in dates.due.items() if due <= day]
    assert assessed(list(in_time), day).forecast == GO_LIVE
    assert assessed(list(in_time[:1]), day).forecast > GO_LIVE  # type: ignore[operator]


def test_places_are_shared_by_who_is_alike() -> None:
    one = assessed([stated("1.1", date(2010, 3, 1))], date(2010, 4, 1))
    same = assessed([stated("1.1", date(2010, 3, 1), "liuzhou")], date(2010, 4, 1), "liuzhou")
    later = assessed([stated("1.1", date(2010, 3, 2), "liuzhou")], date(2010, 4, 1), "liuzhou")
    none = assessed([], date(2010, 4, 1), "liuzhou")
    assert [place.place for place in rank([one, same, none])] == [1, 1, 3]
    assert [(place.site, place.place) for place in rank([later, one])] == [("nanning", 1), ("liuzhou", 2)]


def test_funding_says_why_not() -> None:
    grants = {g.kind: g for g in funding(PLAN, assessed([], date(2010, 4, 1))).grants}
    assert not any(grant.due for grant in grants.values())
    assert grants["implementation"].why == "实施方案尚未批复"
    assert grants["running"].why == "尚缺:硬件验收合格、版本审计一致"
    assert "尚未上线" in grants["reward"].why
    begun = funding(PLAN, assessed([stated("2.3", date(2010, 3, 1))], date(2010, 4, 1)))
    assert begun.total == 160_000_000


def test_a_made_up_year_of_fourteen_cities() -> None:
    inventory = load_inventory(content() / "inventory" / "guangxi")
    assert len(inventory.hosts) == 45
    made = year(SHEET, list(inventory.sites.values()))
    again = year(SHEET, list(inventory.sites.values()))
    assert made == again
    assert len(made.sheets) == 15
    assert all(len(one.lines) == 51 for one in made.sheets)
    cities = [one for one in made.sheets if one.site != "guangxi"]
    assert len(cities) == 14
    assert sum(one.live is not None for one in cities) == 10
    assert len(made.bulletins) == 12
    assert all(one.simulated for one in made.bulletins)
    last = made.bulletins[-1]
    assert {place.site: place.score for place in last.places} == {one.site: one.score for one in cities}
    # What moved from bulletin to bulletin adds up to the scores.
    gained = {one.site: 0 for one in cities}
    for one in made.bulletins:
        for moved in one.moved:
            gained[moved.site] += moved.points
    assert gained == {place.site: place.score for place in last.places}
    assert [sum(place.score for place in one.places) for one in made.bulletins] == sorted(
        sum(place.score for place in one.places) for one in made.bulletins
    )
    total = sum(one.total for one in last.funding)
    assert total == 14 * (160_000_000 + 220_000_000) + 10 * 30_000_000
    assert year(SHEET, list(inventory.sites.values()), 7) != made


def test_pages_say_that_it_is_made_up_and_load_nothing(tmp_path: Path) -> None:
    inventory = load_inventory(content() / "inventory" / "guangxi")
    made = year(SHEET, list(inventory.sites.values())[:4])
    files = report.write(tmp_path / "out", SHEET, made.sheets, made.bulletins)
    assert {file.suffix for file in files} == {".html", ".xlsx", ".pdf"}
    for file in files:
        if file.suffix == ".html":
            text = file.read_text()
            assert "http" not in text.replace("http-equiv", "")
            assert ("模拟" in text) or "南宁市" in text or "柳州市" in text or "桂林市" in text
    assert (tmp_path / "out" / "bulletin-12.pdf").read_bytes().startswith(b"%PDF-")


def test_a_workbook_has_no_formulas() -> None:
    one = assessed([stated("1.1", date(2010, 3, 1))], date(2010, 4, 1)).model_copy(update={"title": "=1+1"})
    book = load_workbook(io.BytesIO(workbook.of_bulletin(bulletin(1, PLAN, [one]))))
    assert book.sheetnames == ["排名", "本期进展", "滞后事项", "经费"]
    assert book["排名"]["B2"].value == "'=1+1"
    assert book["经费"]["C2"].value == 1_600_000


def test_fen_as_wan_yuan() -> None:
    assert [pages.wan(fen) for fen in (160_000_000, 0, 1, 1_500_000)] == ["160", "0", "0.000001", "1.5"]


def test_the_ledger_only_grows_and_names_what_is_damaged(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path / "home"))
    file = tmp_path / "a.pdf"
    file.write_bytes(b"signed")
    digest = ledger.attach(file)
    entry = stated("1.1", date(2010, 3, 1)).model_copy(update={"sha256": digest})
    ledger.add([entry])
    ledger.add([stated("1.2", date(2010, 3, 2)).model_copy(update={"sha256": digest})])
    assert [e.part for e in ledger.read() if e.kind == "statement"] == ["1.1", "1.2"]
    assert ledger.damaged(ledger.read()) == []
    (ledger.folder / "files" / digest).write_bytes(b"changed")
    assert ledger.damaged(ledger.read()) == ["a.pdf", "a.pdf"] or ledger.damaged(ledger.read()) == ["a.pdf"]
    with pytest.raises(ConfigurationError, match="No such file"):
        ledger.attach(tmp_path / "none")
    ledger.file.write_text("{}\n")
    with pytest.raises(VerificationError, match=r"ledger\.jsonl:1"):
        ledger.read()


def test_only_what_is_signed_counts(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    keyring = Keyring(home, "report")
    keyring.ensure()
    folder = home.root / "acceptance"
    folder.mkdir()
    checks = [{"name": "host_key", "verdict": "passed"}, {"name": "link", "verdict": "failed"}]
    text = json.dumps(
        {"site": "nanning", "taken_at": at(GO_LIVE).isoformat(), "accepted": True, "checks": checks}
    ).encode()
    (folder / "nanning.json").write_bytes(text)
    facts = gather(home, ["nanning"])["nanning"]
    assert facts.accepted == []
    assert "not signed" in facts.doubtful[0]
    (folder / "nanning.json.asc").write_bytes(keyring.sign_detached(text))
    facts = gather(home, ["nanning"])["nanning"]
    assert [(one.accepted, one.contact, one.link) for one in facts.accepted] == [(True, True, False)]
    assert facts.doubtful == []


def test_the_journal_is_evidence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    a_journal_with_a_run(home.journal, "nanning", ["backup", "edge"])
    (run,) = gather(home, ["nanning"])["nanning"].applied
    assert run.steps == ["backup", "edge"]
    assert gather(home, ["liuzhou"])["liuzhou"].applied == []


def test_a_plan_is_read_or_named(tmp_path: Path) -> None:
    inventory = load_inventory(content() / "inventory" / "guangxi")
    folder = tmp_path / "inventory"
    folder.mkdir()
    here = inventory.model_copy(update={"path": str(folder)})
    with pytest.raises(ConfigurationError, match="there is no plan"):
        plan.load(here)
    file = folder / "progress.yml"
    file.write_text("go_live: {nanning: 2010-09-30}\n")
    assert plan.load(here).go_live == {"nanning": GO_LIVE}
    file.write_text("go_live: {hanoi: 2010-09-30}\n")
    with pytest.raises(ConfigurationError, match="there is no site hanoi"):
        plan.load(here)
    file.write_text("go_live: {nanning: soon}\nreward: 3\n")
    with pytest.raises(ConfigurationError, match=r"go_live\.nanning.*reward"):
        plan.load(here)
