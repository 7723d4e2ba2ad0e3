"""What the codes of sweeps and back-tests are called in both languages."""

from jincai.tables import Words

STATES: Words = {
    "waiting": ("排队", "Waiting"),
    "running": ("进行中", "Running"),
    "done": ("已完成", "Done"),
    "incomplete": ("部分规则未完成", "Without some rules"),
    "cancelled": ("已取消", "Cancelled"),
    "failed": ("已停止", "Stopped"),
}
SUBJECTS: Words = {"payment": ("支付", "Payments"), "indicator": ("指标进度", "Indicators' pace")}
# Why a back-test was stopped: PostgreSQL's words, or a number, follow.
WHYS: Words = {
    "": ("", ""),
    "too_slow": (
        "规则太慢:少量记录在 20 秒内也未判完。请缩短窗口,或让条件能用上索引。记录数",
        "The rule is too slow: even so few records took more than 20 s. Shorten its windows. Records",
    ),
    "too_long": (
        "已用时 15 分钟,停止。请缩短期间或减少区划。",
        "It took 15 minutes: ask for a shorter period or fewer divisions.",
    ),
    "too_many": (
        "触发超过 100,000 次,停止。这样的规则没有用处,请收紧条件。",
        "It fired more than 100,000 times: such a rule is of no use, tighten it.",
    ),
    "not_judged": ("有记录无法判断:", "A record could not be judged:"),
    "not_understood": ("规则有误:", "The rule is wrong:"),
}
# How a hit compares with the version that is in force.
COMPARED: Words = {
    "new": ("仅新版触发", "This version only"),
    "both": ("两版都触发", "Both"),
    "old": ("仅现行版触发", "The version in force only"),
}
SHADOWED: Words = {
    "both": ("两版都预警", "Both"),
    "live": ("仅现行版预警", "In force only"),
    "shadow": ("仅试运行版预警", "On trial only"),
}
