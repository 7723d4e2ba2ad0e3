"""Rules that tests write, and the people who write and publish them."""

from itertools import count

from tests.platform.desk import Person

RULES = "/api/v1/monitor/rules"
_numbers = count(100)


def new_id() -> str:
    """A rule nobody wrote."""
    return f"R{next(_numbers)}"


def text(rule: str, *, least: int = 5_000_000, when: str = "amount >= least", more: str = "") -> str:
    """A rule about large amounts, with an example on either side of its threshold."""
    return f"""\
id: {rule}
title: 大额支付
title_en: Large payment
stage: during
level: yellow
disposal: warn
reason: 大额支付须关注。
legal_basis: 试行办法第一条
thresholds:
  least:
    value: {least}
    title: 限额
    overrides:
      - division: "450100"
        year: 2010
        value: {least}
when: {when}
{more}examples:
  fires:
    - note: 达到限额
      record: {{amount: {least}}}
  passes:
    - note: 低于限额
      record: {{amount: {least - 1}}}
"""


def begun(maker: Person, rule: str, source: str | None = None) -> dict[str, object]:
    """A draft."""
    answer = maker.post(f"{RULES}/{rule}/draft", {"source": source or text(rule)})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def publish(checker: Person, draft: dict[str, object], **more: object) -> object:
    """The answer to a publication of the draft as it is."""
    body = {"version": draft["version"], "revision": draft["revision"], "reason": "试行", **more}
    return checker.post(f"{RULES}/{draft['rule']}/draft/publish", body)
