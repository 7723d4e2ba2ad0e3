"""The navigation: groups of pages, and within a group its pages; only what the reader may see."""

from dataclasses import dataclass

from jincai.auth.principal import Principal
from jincai.platform import Platform
from jincai.system import MenuEntry

STANDARDS = (
    MenuEntry(title="行政区划", title_en="Divisions", path="/standards/divisions"),
    MenuEntry(title="标准版本", title_en="Editions", path="/standards/editions"),
)

# 财政资金动态监控, a function that the platform itself grew.
MONITOR = (
    MenuEntry(title="预警", title_en="Alerts", path="/monitor/alerts"),
    MenuEntry(title="案件", title_en="Cases", path="/monitor/cases"),
    MenuEntry(title="规则", title_en="Rules", path="/monitor/rules"),
    MenuEntry(title="回扫", title_en="Sweeps", path="/monitor/sweeps"),
    MenuEntry(title="统计", title_en="Statistics", path="/monitor/statistics"),
)
# A unit's people only answer.
MONITOR_UNIT = (MenuEntry(title="问询", title_en="Inquiries", path="/monitor/inquiries"),)

ROLLOUT = (MenuEntry(title="推进情况", title_en="Rollout", path="/rollout"),)

# By what one must be allowed.
ADMINISTRATION = {
    "auth.manage": MenuEntry(title="账户", title_en="Accounts", path="/accounts"),
    "audit.read": MenuEntry(title="审计日志", title_en="Audit trail", path="/audit"),
}


@dataclass(frozen=True)
class Group:
    """Pages that belong together; its own link leads to the first of them."""

    title: str
    title_en: str
    entries: tuple[MenuEntry, ...]

    def holds(self, path: str) -> bool:
        """Whether the page at ``path`` is one of these, or below one."""
        return any(path.split("/")[1] == entry.path.split("/")[1] for entry in self.entries)


def groups(platform: Platform, principal: Principal | None) -> tuple[Group, ...]:
    """What ``principal`` may read; nothing for nobody."""
    if principal is None:
        return ()
    allowed = {code.partition(".")[0] for code in principal.permissions}
    systems = (
        Group(system.name, system.name_en, system.menu)
        for system in platform.systems
        if system.menu and system.code in allowed
    )
    desk = tuple(entry for code, entry in ADMINISTRATION.items() if code in principal.permissions)
    administration = (Group("管理", "Administration", desk),) if desk else ()
    monitor: tuple[MenuEntry, ...] = MONITOR if "monitor.read" in principal.permissions else ()
    if "monitor.reply" in principal.permissions:
        monitor = MONITOR_UNIT
    monitoring = (Group("监控", "Monitoring", monitor),) if monitor else ()
    sees_rollout = "rollout.read" in principal.permissions
    rollout = (Group("推进", "Rollout", ROLLOUT),) if sees_rollout else ()
    return (Group("标准", "Standards", STANDARDS), *administration, *systems, *monitoring, *rollout)
