"""What codes and states are called: code → Chinese and English."""

from jincai.tables import Words

KINDS: Words = {
    "payment": ("支付", "Payment"),
    "refund": ("退款", "Refund"),
    "correction": ("更正", "Correction"),
    "bank_return": ("银行退回", "Returned by the bank"),
}
ASKED_KINDS: Words = {code: KINDS[code] for code in ("payment", "refund", "correction")}
PAY_TYPES: Words = {"direct": ("直接支付", "Direct"), "authorised": ("授权支付", "Authorised")}
CONTROL_LEVELS: Words = {"0": ("不控制", "None"), "1": ("提醒", "Warns"), "2": ("严格控制", "Strict")}
PLAN_STATES: Words = {
    "submitted": ("已申报", "Submitted"),
    "approved": ("已批复", "Approved"),
    "refused": ("已退回", "Refused"),
    "withdrawn": ("已撤回", "Withdrawn"),
}
APPLICATION_STATES: Words = {
    "draft": ("草稿", "Draft"),
    "submitted": ("已送审", "Submitted"),
    "reviewed": ("已审核", "Reviewed"),
    "signed": ("已签章", "Signed"),
    "returned": ("退回", "Returned"),
    "void": ("作废", "Void"),
}
# What has become of a posted payment at the bank (已发送 → 已支付 → 已清算).
BANK_STATES: Words = {
    "waiting": ("待发送", "To be sent"),
    "sent": ("已发送", "Sent"),
    "paid": ("已支付", "Paid"),
    "cleared": ("已清算", "Cleared"),
    "failed": ("支付失败", "Failed"),
    "void": ("作废", "Void"),
}
STEPS: Words = {
    "made": ("起草", "Drafted"),
    "edited": ("修改", "Edited"),
    "submitted": ("送审", "Submitted"),
    "reviewed": ("审核", "Reviewed"),
    "signed": ("签章", "Signed"),
    "refused": ("签章未通过", "Not signed"),
    "held": ("监控拦截", "Held by monitoring"),
    "returned": ("退回", "Returned"),
    "void": ("作废", "Voided"),
}
# Why `post` refuses an order, and the way out.
REFUSALS: Words = {
    "over_quota": (
        "额度不足:支付金额超过该额度的可用余额。请减少金额,或先批复用款计划增加额度。",
        "Over quota: the amount is more than the quota has left. Ask for less, or approve a plan first.",
    ),
    "no_quota": (
        "额度不存在,或不属于该单位和年度。请退回单位另选额度。",
        "No such quota of this unit and year. Return it, and let the unit choose another quota.",
    ),
    "not_yours": (
        "该申请超出您的授权范围(区划、单位或权限)。请由有权限的人员签章。",
        "Beyond your divisions, units or permissions. Let somebody sign who may.",
    ),
    "key_used": (
        "该申请的记账编号已被另一笔支付使用。请退回后重新送审。",
        "Its key of posting was used for another order. Return it and submit it again.",
    ),
    "unknown_code": (
        "收款人类别或结算方式不在该年度的标准代码中。请退回单位改正。",
        "The kind of payee or way to settle is no code of the year's standards. Return it to be corrected.",
    ),
    "nothing_to_undo": (
        "原支付不存在,或不是从该额度支付的。请退回单位改选原支付。",
        "There is no such payment of this quota to undo. Return it, and let the unit name another.",
    ),
    "held": (
        "监控规则拦截了这笔支付,须由监控主管说明理由后放行或驳回。",
        "Monitoring rules hold this payment: a supervisor releases or rejects it, with a reason.",
    ),
    "forbidden": (
        "监控规则禁止这笔支付。请按规则的说明更正后重新申请。",
        "Monitoring rules forbid this payment. Correct what the rule names, and ask anew.",
    ),
    "rejected": (
        "这笔支付被拦截后已驳回。请按驳回理由更正后重新申请。",
        "This payment was held and rejected. Correct it as the reason says, and ask anew.",
    ),
    "other_payee": (
        "退款或更正须与原支付的收款账户一致。请改回原收款账户。",
        "What undoes a payment names the account that was paid. Give that account.",
    ),
    "over_undone": (
        "退款(更正)累计超过原支付金额。请减少金额。",
        "More would be undone than was paid. Ask for less.",
    ),
}
