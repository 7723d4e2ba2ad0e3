"""What codes of alerts are called: code → Chinese and English."""

LEVELS = {"red": ("红色", "Red"), "orange": ("橙色", "Orange"), "yellow": ("黄色", "Yellow")}
STAGES = {"before": ("事前", "Before"), "during": ("事中", "During"), "after": ("事后", "After")}
DISPOSALS = {
    "record": ("记录", "Record"),
    "warn": ("预警(无需附件)", "Warn"),
    "warn_with_attachment": ("预警(需附件)", "Warn, with attachment"),
    "hold": ("拦截", "Hold"),
    "forbid": ("禁止", "Forbid"),
}
SUBJECTS = {
    "payment": ("支付凭证", "Payment"),
    "held": ("被拦截的支付", "Held order"),
    "indicator": ("指标", "Indicator"),
}
FOUND_BY = {"posting": ("支付时", "While posting"), "sweep": ("事后扫描", "By a sweep")}
# Where each subject is looked at, with its id behind.
PLACES = {"payment": "/payment/payments/", "held": "/payment/held/", "indicator": "/budget/indicators/"}
