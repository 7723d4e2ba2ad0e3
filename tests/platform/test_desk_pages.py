"""The desk's pages: forms with inline mistakes, the inbox, the voucher; every link leads somewhere."""

import re

import pytest

from tests.platform.desk import API, Person, make_indicator, reviewed, step, submitted, written
from tests.platform.desk_fixtures import books, reviewer, signer, unit
from tests.platform.posting import make_quota

__all__ = ["books", "reviewer", "signer", "unit"]

BOOKS = "fiscal_year=2010&division=450100"


def fields(text: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


def test_a_plan_by_the_form_and_its_approval(books, unit, reviewer) -> None:
    indicator = make_indicator(books, 500_000)
    empty = unit.page(f"/payment/plans/new?indicator_id={indicator}")
    assert f'<option value="{indicator}" selected>' in empty.text
    given = fields(empty.text) | {"indicator_id": indicator, "month": 3, "pay_type": "direct"}
    wrong = unit.form("/payment/plans", **given, amount="12.345")
    assert wrong.status_code == 422
    assert 'aria-describedby="error-amount"' in wrong.text
    assert 'value="12.345"' in wrong.text
    too_much = unit.form("/payment/plans", **given, amount="5,000.01")
    assert (too_much.status_code, "余额不足" in too_much.text) == (409, True)
    made = unit.form("/payment/plans", **given, amount="1,234.50")
    assert made.status_code == 303
    again = unit.form("/payment/plans", **given, amount="1,234.50")
    assert again.headers["location"] == made.headers["location"]
    place = made.headers["location"]
    assert "1,234.50" in unit.page(place).text
    assert 'value="approve"' not in unit.page(place).text
    assert 'value="approve"' in reviewer.page(place).text
    refused = reviewer.form(place, step="refuse")
    assert (refused.status_code, "请填写退回原因" in refused.text) == (422, True)
    assert reviewer.form(place, step="approve").status_code == 303
    assert "已批复" in unit.page(place).text
    assert unit.form(place, step="withdraw").status_code == 409
    assert unit.form(place, step="approve").status_code == 403


def test_lists_filter_and_link(books, unit, reviewer) -> None:
    indicator = make_indicator(books)
    plan_id = submitted(unit, indicator)
    reviewer.post(f"{API}/plans/approve", {"ids": [plan_id]})
    quotas = unit.page(f"/payment/quotas?{BOOKS}&indicator_id={indicator}&pay_type=direct")
    assert "1,000.00" in quotas.text
    assert "<strong>1</strong>" in quotas.text
    plans = unit.page(f"/payment/plans?{BOOKS}&indicator_id={indicator}&state=approved")
    assert f'href="/payment/plans/{plan_id}"' in plans.text
    assert 'href="/payment/plans/new"' in plans.text
    assert 'href="/payment/plans/new"' not in reviewer.page("/payment/plans").text
    number = written(unit, make_quota(books, 10_000))
    listed = unit.page(f"/payment/applications?{BOOKS}&state=draft")
    assert f'href="/payment/applications/{number}"' in listed.text


def test_an_application_by_the_form_to_its_voucher(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 2_000_000)
    empty = unit.page(f"/payment/applications/new?quota_id={quota}")
    assert f'<option value="{quota}" selected>' in empty.text
    given = fields(empty.text) | {
        "quota_id": quota,
        "kind": "payment",
        "amount": "12300",
        "payee_name": "示例<文具店>",
        "payee_account": "4500000000000001",
        "payee_kind_code": "1",
        "set_mode_code": "1",
        "purpose": "办公用品采购",
    }
    wrong = unit.form("/payment/applications/new", **given)
    assert (wrong.status_code, 'id="error-pay_date"' in wrong.text) == (422, True)
    late = unit.form("/payment/applications/new", **given, pay_date="2011-01-01")
    assert (late.status_code, "应在 2010 年度内" in late.text) == (422, True)
    made = unit.form("/payment/applications/new", **given, pay_date="2010-03-05")
    assert made.status_code == 303
    place = made.headers["location"]
    assert "示例&lt;文具店&gt;" in unit.page(place).text
    edit = unit.page(f"{place}/edit")
    assert 'value="12,300.00"' in edit.text
    without_key = {name: value for name, value in given.items() if name != "idempotency_key"}
    changed = without_key | {"pay_date": "2010-03-06", "purpose": "办公用品"}
    assert unit.form(f"{place}/edit", **changed).status_code == 303
    assert unit.form(place, step="submit").status_code == 303
    assert unit.form(f"{place}/edit", **changed).status_code == 409
    assert 'value="review"' in reviewer.page(place).text
    assert reviewer.form(place, step="review").status_code == 303
    assert 'value="sign"' not in reviewer.page(place).text
    assert signer.form(place, step="sign").status_code == 303
    text = unit.page(place).text
    assert [word in text for word in ("起草", "修改", "送审", "审核", "签章", "已签章")] == [True] * 6
    found = re.search(r'href="(/payment/payments/\d+)"', text)
    assert found
    voucher = unit.page(found[1]).text
    for expected in (
        "壹万贰仟叁佰元整",
        "12,300.00",
        "示例&lt;文具店&gt;",
        "/ledger/vouchers/",
        "/budget/indicators/",
        place,
    ):
        assert expected in voucher
    refund = unit.page(f"/payment/applications/new?undoes={found[1].rsplit('/', 1)[1]}").text
    assert 'value="12,300.00"' in refund
    assert '<option value="refund" selected>' in refund


def test_a_refund_by_the_form_shows_on_both_vouchers(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 10_000)
    (paid,) = step(signer, "sign", reviewed(unit, reviewer, quota)).json()
    form = unit.page(f"/payment/applications/new?undoes={paid['payment_id']}").text
    given = fields(form) | {
        "quota_id": quota,
        "kind": "refund",
        "undoes": paid["payment_id"],
        "amount": "15",
        "pay_date": "2010-05-05",
        "payee_name": "示例文具店",
        "payee_account": "4500000000000001",
        "payee_kind_code": "1",
        "set_mode_code": "1",
        "purpose": "退货",
    }
    place = unit.form("/payment/applications/new", **given).headers["location"]
    number = int(place.rsplit("/", 1)[1])
    step(unit, "submit", number)
    step(reviewer, "review", number)
    (refund,) = step(signer, "sign", number).json()
    original = unit.page(f"/payment/payments/{paid['payment_id']}").text
    assert f'href="/payment/payments/{refund["payment_id"]}"' in original
    undoing = unit.page(f"/payment/payments/{refund['payment_id']}").text
    assert "负壹拾伍元整" in undoing
    assert f'href="/payment/payments/{paid["payment_id"]}"' in undoing
    assert unit.get(f"{API}/payments/{refund['payment_id']}").json()["capital_amount"] == "负壹拾伍元整"


def test_why_posting_refused_is_said_in_chinese(books, unit, reviewer, signer) -> None:
    number = reviewed(unit, reviewer, make_quota(books, 10))
    answer = signer.form(f"/payment/applications/{number}", step="sign")
    assert (answer.status_code, "额度不足" in answer.text) == (409, True)
    assert "签章未通过" in unit.page(f"/payment/applications/{number}").text
    empty = signer.form(f"/payment/applications/{number}", step="return")
    assert (empty.status_code, 'id="error-reason"' in empty.text) == (422, True)
    returned = signer.form(f"/payment/applications/{number}", step="return", reason="额度不足")
    assert returned.status_code == 303


def test_the_inbox_holds_what_waits_for_each(books, unit, reviewer, signer) -> None:
    quota = make_quota(books, 6_000)
    plan_id = submitted(unit, make_indicator(books))
    draft, waiting = written(unit, quota), written(unit, quota)
    step(unit, "submit", waiting)
    ready = [reviewed(unit, reviewer, quota, amount=amount) for amount in (4_000, 4_000)]
    assert f'href="/payment/applications/{draft}"' in unit.page("/payment/inbox").text
    text = reviewer.page("/payment/inbox").text
    assert f'name="plans" value="{plan_id}"' in text
    assert f'name="review" value="{waiting}"' in text
    assert f'value="{ready[0]}"' not in text
    assert f'name="sign" value="{ready[0]}"' in signer.page("/payment/inbox").text

    done = reviewer.form("/payment/inbox", plans=[plan_id], review=[waiting], step="approve")
    assert done.headers["location"] == "/payment/inbox?done=2"
    assert "已办理 2 项" in reviewer.page(done.headers["location"]).text
    assert f'value="{plan_id}"' not in reviewer.page("/payment/inbox").text

    partly = signer.form("/payment/inbox", sign=ready, step="approve")
    assert partly.status_code == 409
    assert "已办理 1 项" in partly.text
    assert f"{ready[1]}: 额度不足" in partly.text
    returned = signer.form("/payment/inbox", sign=[ready[1], waiting], step="return", reason="额度不足")
    assert returned.headers["location"] == "/payment/inbox?done=2"
    assert unit.get(f"{API}/applications/{ready[1]}").json()["state"] == "returned"


def test_the_inbox_says_what_is_missing(books, unit, reviewer) -> None:
    plan_id = submitted(unit, make_indicator(books))
    nothing = reviewer.form("/payment/inbox", step="approve")
    assert (nothing.status_code, "请至少选择一项" in nothing.text) == (422, True)
    why = reviewer.form("/payment/inbox", plans=[plan_id], step="return")
    assert (why.status_code, "请填写退回原因" in why.text) == (422, True)
    assert re.search(rf'value="{plan_id}" aria-label="[^"]*" checked', why.text)
    assert unit.form("/payment/inbox", plans=[plan_id], step="approve").status_code == 403
    assert unit.get(f"{API}/inbox").json()["plans"] == []


def test_nobodys_inbox_holds_what_they_wrote(books, client, session) -> None:
    everything = ("payment.read", "payment.submit", "payment.review", "payment.post")
    both = Person(client, session(*everything, actor="both"))
    number = written(both, make_quota(books, 10_000))
    step(both, "submit", number)
    plan_id = submitted(both, make_indicator(books))
    found = both.get(f"{API}/inbox").json()
    assert number not in [one["id"] for one in found["review"]]
    assert plan_id not in [one["id"] for one in found["plans"]]


@pytest.mark.parametrize(
    "path", ["inbox", "plans", "quotas", "applications", "plans/new", "applications/new"]
)
def test_every_page_in_both_languages_and_only_for_whom_it_is(unit, client, path) -> None:
    made = unit.page(f"/payment/{path}")
    assert made.status_code == 200
    english = unit.page(f"/payment/{path}?lang=en")
    assert '<html lang="en">' in english.text
    assert not re.search(r"<h1>[^<]*[\u4e00-\u9fff]", english.text)
    unit.page("/payment/inbox?lang=zh")
    assert (
        client.get(f"/payment/{path}", headers={"Accept": "text/html"}, follow_redirects=False).status_code
        == 303
    )


def test_what_is_not_there(unit) -> None:
    for path in (
        "plans/999999999",
        "applications/999999999",
        "payments/999999999",
        "applications/999999999/edit",
    ):
        assert unit.page(f"/payment/{path}").status_code == 404
    assert unit.page("/payment/applications/x").status_code == 422
