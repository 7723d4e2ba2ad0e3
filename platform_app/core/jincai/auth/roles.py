"""Roles as data: what each lets people do, and which of them one person may not hold together.

Maker and checker of one thing are two people, and so are the three administrators (三员分离: 系统管理员,
安全管理员, 审计管理员; GB/T 22239-2019, 8.1.5), who do no business either.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from jincai.errors import ConfigurationError

Duty = Literal["unit", "maker", "checker", "bank", "reader", "system", "security", "audit"]
ADMINISTRATORS: frozenset[Duty] = frozenset({"system", "security", "audit"})

# Code → name in Chinese and in English.
PERMISSIONS: dict[str, tuple[str, str]] = {
    "standards.draft": ("编制标准草案", "prepare standards"),
    "standards.publish": ("发布标准", "publish standards"),
    "budget.read": ("查看预算", "read the budget"),
    "budget.submit": ("单位申报预算", "submit a unit's budget"),
    "budget.draft": ("编制预算", "prepare the budget"),
    "budget.approve": ("审批预算", "approve the budget"),
    "payment.read": ("查看支付", "read payments"),
    "payment.submit": ("单位申请支付", "ask for a payment"),
    "payment.review": ("审核支付", "review payments"),
    "payment.post": ("支付记账", "post payments"),
    "payment.bank": ("代理银行收发指令", "take instructions and give receipts as the agent bank"),
    "ledger.read": ("查看总账", "read the ledger"),
    "ledger.draft": ("编制凭证", "prepare vouchers"),
    "ledger.book": ("凭证记账", "book vouchers"),
    "ledger.close": ("结账", "close a period"),
    "monitor.read": ("查看监控", "read monitoring"),
    "monitor.handle": ("处理预警与案件", "work on alerts and cases"),
    "monitor.reply": ("单位答复监控问询", "answer inquiries as a unit"),
    "monitor.release": ("放行或驳回被拦截的支付", "release or reject held payments"),
    "monitor.register": ("登记账户、合同与限额", "keep the registers of accounts, contracts and limits"),
    "monitor.rule_draft": ("编制监控规则", "prepare monitoring rules"),
    "monitor.rule_publish": ("发布监控规则", "publish monitoring rules"),
    "rollout.read": ("查看推进情况", "read how far the rollout is"),
    "socket.push": ("推送单据", "push documents"),
    "socket.pull": ("拉取单据", "pull documents"),
    "auth.manage": ("管理账户与授权", "manage accounts and grants"),
    "audit.read": ("查看审计日志", "read the audit log"),
}


@dataclass(frozen=True)
class Role:
    """One role.

    Attributes:
        title: Chinese name.
        title_en: English name.
        duty: its part in the division of labour.
        thing: what it works on, such as ``budget``; "" for administrators and readers.
        permissions: codes of `PERMISSIONS`.
    """

    title: str
    title_en: str
    duty: Duty
    thing: str
    permissions: tuple[str, ...]

    @property
    def administers(self) -> bool:
        """Whether it is one of the three administrators."""
        return self.duty in ADMINISTRATORS


ROLES: dict[str, Role] = {
    "system_admin": Role("系统管理员", "System administrator", "system", "", ("rollout.read",)),
    "security_admin": Role("安全管理员", "Security administrator", "security", "", ("auth.manage",)),
    "audit_admin": Role("审计管理员", "Audit administrator", "audit", "", ("audit.read",)),
    "standards_maker": Role("标准编制", "Standards, maker", "maker", "standards", ("standards.draft",)),
    "standards_checker": Role(
        "标准发布", "Standards, checker", "checker", "standards", ("standards.publish",)
    ),
    "budget_unit": Role("单位预算", "Unit's budget", "unit", "budget", ("budget.read", "budget.submit")),
    "budget_maker": Role("预算编制", "Budget, maker", "maker", "budget", ("budget.read", "budget.draft")),
    "budget_checker": Role(
        "预算审批", "Budget, checker", "checker", "budget", ("budget.read", "budget.approve")
    ),
    "payment_unit": Role(
        "单位支付", "Unit's payments", "unit", "payment", ("budget.read", "payment.read", "payment.submit")
    ),
    "payment_maker": Role(
        "支付审核", "Payment, maker", "maker", "payment", ("payment.read", "payment.review")
    ),
    "payment_checker": Role(
        "支付复核", "Payment, checker", "checker", "payment", ("payment.read", "payment.post")
    ),
    "agent_bank": Role("代理银行", "Agent bank", "bank", "payment", ("payment.bank",)),
    "ledger_maker": Role("凭证编制", "Ledger, maker", "maker", "ledger", ("ledger.read", "ledger.draft")),
    "ledger_checker": Role(
        "凭证复核", "Ledger, checker", "checker", "ledger", ("ledger.read", "ledger.book", "ledger.close")
    ),
    "monitor_unit": Role("单位监控答复", "Unit's answers", "unit", "monitor", ("monitor.reply",)),
    "monitor_maker": Role(
        "监控专管",
        "Monitoring, maker",
        "maker",
        "monitor",
        ("monitor.read", "monitor.handle", "monitor.register", "monitor.rule_draft", "payment.read"),
    ),
    "monitor_checker": Role(
        "监控主管",
        "Monitoring, checker",
        "checker",
        "monitor",
        ("monitor.read", "monitor.handle", "monitor.release", "monitor.rule_publish", "payment.read"),
    ),
    "outside_system": Role("外部系统", "Outside system", "maker", "socket", ("socket.push", "socket.pull")),
    "reader": Role(
        "查询",
        "Reader",
        "reader",
        "",
        ("budget.read", "payment.read", "ledger.read", "monitor.read", "rollout.read"),
    ),
}


class SeparationError(ConfigurationError):
    """Roles that one person may not hold together; ``chinese`` says the rule in Chinese."""

    def __init__(self, message: str, hint: str, chinese: str) -> None:
        super().__init__(message, hint)
        self.chinese = chinese


@dataclass(frozen=True)
class Granted:
    """One role of a person in a division (None: in all), for one unit (None: for every unit)."""

    role: str
    division: str | None = None
    agency: str | None = None


@dataclass(frozen=True)
class Extent:
    """What all grants of a person come to.

    Attributes:
        permissions: the union of the roles'.
        divisions: as granted, not yet those below them; None for all.
        agencies: None for every unit of those divisions.
    """

    permissions: tuple[str, ...]
    divisions: tuple[str, ...] | None
    agencies: tuple[str, ...] | None


def extent(grants: Iterable[Granted]) -> Extent:
    """What a session of someone with these grants may do.

    A session has one set of permissions and one of divisions, so every role must be granted for the same
    divisions and units: otherwise one role would reach where only another was granted.

    Raises:
        SeparationError: the roles may not be held together, or differ in where they hold.
        ConfigurationError: there is no such role, or a unit's role names no unit.
    """
    held = tuple(grants)
    check(one.role for one in held)
    where: dict[str, set[tuple[str | None, str | None]]] = {}
    for one in held:
        where.setdefault(one.role, set()).add((one.division, one.agency))
    if len({frozenset(places) for places in where.values()}) > 1:
        raise SeparationError(
            f"{', '.join(sorted(where))} are granted for different divisions or units",
            "Give one person the same divisions and units in every role, or make a second account.",
            "同一人的各个角色必须授予相同的区划和单位,否则请另建账户。",
        )
    places = next(iter(where.values()), set())
    divisions, agencies = {place[0] for place in places}, {place[1] for place in places}
    if len(places) != len(divisions) * len(agencies):
        raise SeparationError(
            "units are granted in some of the divisions only",
            "Make an account for each.",
            "单位只授予了部分区划,请分别建立账户。",
        )
    if None in agencies and (unit := next((one for one in where if ROLES[one].duty == "unit"), None)):
        raise ConfigurationError(f"{unit} is a unit's role and names no unit", "Give --agency.")
    # Whoever runs the platform or its accounts sees no books.
    if any(ROLES[role].duty in {"system", "security"} for role in where):
        divisions = set()
    return Extent(
        permissions=tuple(sorted({code for role in where for code in ROLES[role].permissions})),
        divisions=_bounded(divisions),
        agencies=_bounded(agencies),
    )


def check(codes: Iterable[str]) -> None:
    """Refuse roles that one person may not hold together.

    Raises:
        SeparationError: names the two.
        ConfigurationError: there is no such role.
    """
    held = sorted(set(codes))
    for code in held:
        if code not in ROLES:
            raise ConfigurationError(f"there is no role {code}", f"Choose from {', '.join(ROLES)}.")
    for one, other in combinations(held, 2):
        if _exclude_each_other(ROLES[one], ROLES[other]):
            raise SeparationError(
                f"{one} ({ROLES[one].title}) and {other} ({ROLES[other].title}) exclude each other",
                "Give them to two people.",
                f"{ROLES[one].title}({one})与{ROLES[other].title}({other})不相容,不得由一人兼任,请分授两人。",
            )


def check_permissions(codes: Iterable[str]) -> None:
    """Refuse what is no permission.

    Raises:
        ConfigurationError: names it and what there is.
    """
    for code in codes:
        if code not in PERMISSIONS:
            raise ConfigurationError(
                f"there is no permission {code}", f"Choose from {', '.join(PERMISSIONS)}."
            )


def _exclude_each_other(one: Role, other: Role) -> bool:
    if one.administers or other.administers:
        return True
    return one.thing == other.thing != "" and one.duty != other.duty


def _bounded(codes: set[str | None]) -> tuple[str, ...] | None:
    return None if None in codes else tuple(sorted(code for code in codes if code is not None))
