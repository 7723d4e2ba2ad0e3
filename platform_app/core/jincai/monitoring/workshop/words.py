"""What rules' codes are called in both languages."""

from jincai.tables import Words

STAGES: Words = {"before": ("事前", "Before"), "during": ("事中", "During"), "after": ("事后", "After")}
LEVELS: Words = {"yellow": ("黄", "Yellow"), "orange": ("橙", "Orange"), "red": ("红", "Red")}
DISPOSALS: Words = {
    "record": ("记录", "Record"),
    "warn": ("预警(无需附件)", "Warn"),
    "warn_with_attachment": ("预警(需附件)", "Warn, attachment needed"),
    "hold": ("拦截", "Hold"),
    "forbid": ("禁止", "Forbid"),
}
STATES: Words = {
    "draft": ("草案", "Draft"),
    "published": ("已发布", "Published"),
    "discarded": ("已撤销", "Discarded"),
}
SUBJECTS: Words = {"payment": ("支付", "Payments"), "indicator": ("指标", "Indicators")}
UNITS: Words = {"fen": ("元", "yuan"), "integer": ("", "")}
