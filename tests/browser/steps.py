"""Steps that several stories take."""

import datetime as dt
import re

from jincai.identity import SHANGHAI
from playwright.sync_api import Page, expect

TODAY = dt.datetime.now(SHANGHAI).date()


def press(page: Page, name: str) -> None:
    """A button, by all of its name."""
    page.get_by_role("button", name=name, exact=True).click()


def settle_inbox(page: Page, heading: str) -> None:
    """待办: everything that waits there, chosen and settled."""
    page.goto("/payment/inbox")
    expect(page.get_by_role("heading", name=re.compile(heading))).to_be_visible()
    for box in page.get_by_role("checkbox").all():
        box.check()
    press(page, "办理所选(批复、审核、签章)")
    expect(page.get_by_role("status")).to_contain_text("已办理")
