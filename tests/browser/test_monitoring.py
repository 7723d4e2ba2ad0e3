"""A transfer from a zero-balance account to the unit's own: held, seen at once, asked about, closed."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import press, settle_inbox

OWN_ACCOUNT = "4500100000000101"
# The demonstration's quotas are of 2016.
DAY = "2016-04-06"
QUESTION, ANSWER, REPORT = "请说明为何划入本单位账户", "经办人误填收款账号", "已改付供应商,并重申账户管理规定"


@pytest.mark.usefixtures("shown")
def test_a_transfer_to_the_units_own_account_is_held_and_its_case_closed(people) -> None:
    watching = watch(people("monitor_maker"))
    ask_to_pay_itself(people("payment_unit"))
    settle_inbox(people("payment_maker"), "待审核的支付申请")
    sign(people("payment_checker"))
    take_on(watching)
    inquire(watching)
    answer(people("monitor_unit"))
    conclude(watching)
    rectify(people("monitor_unit"))
    reject(people("monitor_checker"))
    case = close(people("monitor_checker"), watching.url)
    whole_trail(case)


def watch(page: Page) -> Page:
    """The supervisor's screen stands open before anything happens."""
    page.goto("/monitor/alerts")
    expect(page.locator("body")).to_contain_text("预警")
    return page


def ask_to_pay_itself(page: Page) -> None:
    """支付申请 to the account that is registered as the unit's own, for a harmless purpose."""
    page.goto("/payment/applications/new")
    quota = page.get_by_label("额度")
    quota.select_option(quota.locator("option", has_text=DAY[:4]).first.get_attribute("value"))
    page.get_by_label("金额(元)").fill("66,666.00")
    page.get_by_label("支付日期").fill(DAY)
    page.get_by_label("收款人", exact=True).fill("示例:市机关事务局")
    page.get_by_label("收款账号").fill(OWN_ACCOUNT)
    page.get_by_label("收款人类别").fill("1")
    page.get_by_label("结算方式").fill("1")
    page.get_by_label("用途").fill("往来款")
    press(page, "保存")
    press(page, "送审")


def sign(page: Page) -> None:
    """签章: rules hold it, and the signer is told why."""
    page.goto("/payment/inbox")
    page.locator("tr", has_text="66,666.00").get_by_role("checkbox").check()
    press(page, "办理所选(批复、审核、签章)")
    expect(page.locator("main")).to_contain_text("R1: 监控规则拦截了这笔支付")


def take_on(page: Page) -> None:
    """The alert has come to the open screen by itself."""
    row = page.locator("tbody tr", has_text="66,666.00").first
    expect(row).to_be_visible()
    expect(row).to_contain_text("R1")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("零余额账户")
    press(page, "受理,立案处理")
    expect(page.get_by_role("heading", level=1)).to_contain_text("案件")


def inquire(page: Page) -> None:
    """问询."""
    page.get_by_label("问询内容").fill(QUESTION)
    page.get_by_label("答复期限(天)").fill("5")
    press(page, "发出问询")
    expect(page.locator(".timeline")).to_contain_text(QUESTION)


def answer(page: Page) -> None:
    """答复 with an attachment, which an order that was held demands."""
    page.goto("/monitor/inquiries")
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text(QUESTION)
    page.get_by_label("答复内容").fill(ANSWER)
    page.get_by_label("附件").set_input_files(
        {"name": "说明.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 example"}
    )
    press(page, "提交答复")
    expect(page.locator("main")).to_contain_text(ANSWER)


def conclude(page: Page) -> None:
    """认定 a violation, and 整改."""
    page.reload()
    expect(page.get_by_role("link", name="说明.pdf")).to_be_visible()
    page.get_by_label("认定结论").select_option("violation")
    page.get_by_label("认定理由").fill("违反零余额账户管理规定")
    press(page, "提交认定")
    page.get_by_label("整改要求").fill("撤回申请,改付最终收款人")
    page.get_by_label("整改期限(天)").fill("10")
    press(page, "下达整改")
    expect(page.locator(".head")).to_contain_text("整改")


def rectify(page: Page) -> None:
    """报告整改."""
    page.reload()
    page.get_by_label("整改情况").fill(REPORT)
    press(page, "报告整改")
    expect(page.locator("main")).to_contain_text(REPORT)


def reject(page: Page) -> None:
    """驳回: the held order itself, by the supervisor's chief."""
    page.goto("/payment/held?fiscal_year=2016&division=450100")
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("拦截它的规则")
    page.get_by_label(re.compile("理由")).fill("单位已改付供应商")
    press(page, "驳回")
    expect(page.locator(".head")).to_contain_text("驳回")


def close(page: Page, address: str) -> Page:
    """结案 of a violation by another person than who found it."""
    page.goto(address.partition("#")[0])
    page.get_by_label("结案说明").fill("整改属实,予以结案")
    press(page, "结案")
    expect(page.locator(".head")).to_contain_text("已结案")
    return page


def whole_trail(page: Page) -> None:
    """The trail shows all of it, and that nobody changed it."""
    trail = page.locator(".timeline")
    for said in (QUESTION, ANSWER, "违反零余额账户管理规定", "撤回申请", REPORT, "整改属实"):
        expect(trail).to_contain_text(said)
    expect(page.get_by_text("轨迹完整,未被改动。")).to_be_visible()
