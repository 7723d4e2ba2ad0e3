"""What the steps of a fund's way are called: code → Chinese and English."""

from collections.abc import Mapping

from jincai.tables import Words

from jincai_payment.bank.clearing import STATES as CLEARING_STATES
from jincai_payment.words import BANK_STATES, KINDS, PLAN_STATES, STEPS

STAGES: Words = {
    "indicator": ("预算指标", "Indicator"),
    "change": ("指标变动", "Change of the indicator"),
    "plan": ("用款计划", "Plan"),
    "quota": ("额度", "Quota"),
    "application": ("支付申请", "Application"),
    "held": ("拦截", "Held"),
    "payment": ("支付记账", "Payment"),
    "sent": ("发送银行", "Sent to the bank"),
    "answered": ("银行回单", "Bank's receipt"),
    "discrepancy": ("回单差异", "Discrepancy"),
    "clearing": ("清算", "Clearing"),
    "refund": ("银行退款", "Refund told by the bank"),
    "undone": ("退款与更正", "What undoes it"),
    "alert": ("监控预警", "Alert"),
}
# By stage; a stage without states has none to tell.
STATES: Mapping[str, Words] = {
    "change": {
        "approval": ("批复", "Approval"),
        "addition": ("追加", "Addition"),
        "adjustment": ("调整", "Adjustment"),
        "carry_over": ("结转", "Carry-over"),
    },
    "plan": PLAN_STATES,
    "application": STEPS,
    "held": {
        "held": ("已拦截", "Held"),
        "released": ("已放行", "Released"),
        "rejected": ("已驳回", "Rejected"),
        "forbidden": ("已禁止", "Forbidden"),
    },
    "payment": KINDS,
    "answered": BANK_STATES,
    "discrepancy": {"open": ("待处理", "Open"), "settled": ("已处理", "Settled")},
    "clearing": CLEARING_STATES,
    "refund": {"waiting": ("待记账", "Waiting"), "posted": ("已记账", "Posted")},
    "undone": KINDS,
    "alert": {"yellow": ("黄色", "Yellow"), "orange": ("橙色", "Orange"), "red": ("红色", "Red")},
}
# Which states are good or bad to see; the words say the same without colour.
TONES: Mapping[str, str] = {
    "approved": "good", "signed": "good", "released": "good", "paid": "good", "cleared": "good",
    "booked": "good", "posted": "good", "failed": "bad", "refused": "bad", "returned": "bad", "void": "bad",
    "rejected": "bad", "forbidden": "bad", "open": "bad", "yellow": "bad", "orange": "bad", "red": "bad",
}  # fmt: skip
