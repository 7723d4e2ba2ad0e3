"""案件: its states, their words, and refusals in both languages."""

from typing import Literal

from fastapi import Request

from jincai import language
from jincai.tables import Words

State = Literal["looking", "inquired", "replied", "normal", "violation", "rectifying", "rectified", "closed"]

STATES: Words = {
    "looking": ("初查", "First look"),
    "inquired": ("已问询", "Inquired"),
    "replied": ("已答复", "Replied"),
    "normal": ("认定正常", "Found normal"),
    "violation": ("认定违规", "Found a violation"),
    "rectifying": ("整改中", "Being rectified"),
    "rectified": ("已整改", "Rectified"),
    "closed": ("已结案", "Closed"),
}
ACTIONS: Words = {
    "opened": ("领取预警", "Took the alert"),
    "joined": ("并入预警", "Another alert joined"),
    "took_over": ("接手", "Took over"),
    "handed_over": ("移交", "Handed over"),
    "handed_down": ("下交", "Handed down"),
    "noted": ("备注", "Note"),
    "inquired": ("发出问询", "Inquiry"),
    "replied": ("单位答复", "Reply"),
    "concluded": ("认定", "Conclusion"),
    "reopened": ("重新核查", "Reopened"),
    "ordered": ("下达整改", "Rectification ordered"),
    "reported": ("报告整改", "Rectification reported"),
    "closed": ("结案", "Closed"),
    "escalated": ("上报", "Escalated"),
    "overdue": ("逾期升级", "Overdue"),
    "snoozed": ("暂缓", "Snoozed"),
    "woken": ("恢复办理", "Woken"),
}
CONCLUSIONS: Words = {"normal": ("正常", "Normal"), "violation": ("违规", "Violation")}
LEVELS: Words = {"red": ("红色", "Red"), "orange": ("橙色", "Orange"), "yellow": ("黄色", "Yellow")}
ESCALATIONS: Words = {
    "0": ("未升级", "None"),
    "1": ("一级", "First"),
    "2": ("二级", "Second"),
    "3": ("三级", "Third"),
}
DISPOSALS: Words = {
    "record": ("记录", "Record"),
    "warn": ("预警(无需附件)", "Warn"),
    "warn_with_attachment": ("预警(需附件)", "Warn, evidence needed"),
    "hold": ("拦截", "Hold"),
    "forbid": ("禁止", "Forbid"),
}


class CaseError(Exception):
    """Something that cannot be done with a case, told in both languages; ``field`` is to be corrected."""

    def __init__(self, status: int, chinese: str, english: str, field: str = "") -> None:
        super().__init__(english)
        self.status = status
        self.words = (chinese, english)
        self.field = field

    def text(self, request: Request) -> str:
        """In the reader's language."""
        return self.words[0 if language.of(request) == "zh" else 1]


def named(state: State) -> tuple[str, str]:
    """The state's name in Chinese and English."""
    return STATES[state]
