"""One budget from the unit's first submission to the trial balance and back to its indicator."""

import re

import pytest
from jincai.demonstration import AGENCY, DIVISION
from playwright.sync_api import Page, expect

from tests.browser.steps import TODAY, press, settle_inbox

BOOKS = f"fiscal_year={TODAY.year}&division={DIVISION}"
AMOUNT = "1,234.56"


@pytest.mark.usefixtures("shown")
def test_from_the_first_submission_to_the_trial_balance_and_back(people) -> None:
    submit_first(people("budget_unit"))
    issue_control_figures(people("budget_maker"))
    submit_second(people("budget_unit"))
    approve(people("budget_checker"))
    plan(people("payment_unit"))
    settle_inbox(people("payment_maker"), "待批复的用款计划")
    apply(people("payment_unit"))
    settle_inbox(people("payment_maker"), "待审核的支付申请")
    settle_inbox(people("payment_checker"), "待签章的支付申请")
    receipt(people("payment_maker"))
    clear(people("payment_maker"), people("payment_checker"))
    back_to_the_indicator(people("reader"))


def submit_first(page: Page) -> None:
    """一上: the unit's proposal, after a mistake that is said beside its field."""
    page.goto("/budget/proposals/new")
    press(page, "新建")
    page.get_by_role("link", name="增加明细").click()
    page.get_by_label("功能科目").fill("2050202")
    page.get_by_label("部门经济科目").fill("30202")
    page.get_by_label("金额(元)").fill("一万")
    page.get_by_label("摘要").fill("办公用品")
    press(page, "保存")
    expect(page.get_by_label("金额(元)")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("金额(元)").fill("10,000.00")
    press(page, "保存")
    expect(page.get_by_role("cell", name="10,000.00").first).to_be_visible()
    press(page, "一上申报")
    expect(page.locator(".facts")).to_contain_text("一上")


def proposal(page: Page) -> None:
    page.goto(f"/budget/proposals?{BOOKS}&agency_code={AGENCY}")
    page.locator("tbody a").first.click()


def issue_control_figures(page: Page) -> None:
    """一下."""
    proposal(page)
    press(page, "下达控制数")


def submit_second(page: Page) -> None:
    """二上."""
    page.reload()
    press(page, "二上申报")


def approve(page: Page) -> None:
    """二下: approval makes the indicator."""
    proposal(page)
    press(page, "批复")
    expect(page.get_by_role("link", name="查看批复形成的指标")).to_be_visible()
    expect(page.get_by_text("各阶段对比")).to_be_visible()


def plan(page: Page) -> None:
    """用款计划: a month's part of the indicator."""
    page.goto("/payment/plans/new")
    page.get_by_label("指标").select_option(index=1)
    page.get_by_label("月份").select_option(str(TODAY.month))
    page.get_by_label("支付方式").select_option("direct")
    page.get_by_label("金额(元)").fill("5000")
    press(page, "申报")


def apply(page: Page) -> None:
    """支付申请, and on to the reviewer."""
    page.goto("/payment/applications/new")
    page.get_by_label("额度").select_option(index=1)
    page.get_by_label("金额(元)").fill(AMOUNT)
    page.get_by_label("支付日期").fill(TODAY.isoformat())
    page.get_by_label("收款人", exact=True).fill("示例文具店")
    page.get_by_label("收款账号").fill("4500000000000001")
    page.get_by_label("收款人类别").fill("1")
    page.get_by_label("结算方式").fill("1")
    page.get_by_label("用途").fill("办公用品采购")
    press(page, "保存")
    press(page, "送审")


def receipt(page: Page) -> None:
    """已支付: the bank, a process of its own, takes the instruction and gives its receipt."""
    for _ in range(30):
        page.goto(f"/payment/bank?{BOOKS}")
        if page.get_by_role("cell", name="已支付").count():
            return
        page.wait_for_timeout(1_000)
    expect(page.get_by_role("cell", name="已支付")).to_be_visible()


def clear(maker: Page, checker: Page) -> None:
    """清算 by two people; afterwards every zero-balance account is zero."""
    day = f"/payment/clearing?{BOOKS}&day={TODAY.isoformat()}"
    maker.goto(day)
    maker.get_by_label("支付方式").select_option("direct")
    press(maker, "编制")
    checker.goto(day)
    press(checker, "确认记账")
    checker.goto(day)
    expect(checker.get_by_role("status")).to_contain_text("全部零余额账户日终为零")


def back_to_the_indicator(page: Page) -> None:
    """联查: from a figure of the trial balance to its lines, voucher, payment and indicator."""
    page.goto(f"/ledger/trial-balance?{BOOKS}")
    expect(page.get_by_role("link", name=AMOUNT).first).to_be_visible()
    page.locator("tr", has_text="5001").get_by_role("link", name=AMOUNT).first.click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("凭证")
    page.get_by_role("link", name=re.compile("支付")).last.click()
    expect(page.get_by_text("壹仟贰佰叁拾肆元伍角陆分")).to_be_visible()
    page.locator("main a[href^='/budget/indicators/']").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{TODAY.year}-{AGENCY}")
