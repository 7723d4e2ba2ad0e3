"""The certificate (验收证书) as a page."""

from rollout import pages
from rollout.acceptance.model import Acceptance

NAMES = {
    "host_key": "主机密钥指纹",
    "serial": "序列号",
    "cores": "处理器核数",
    "memory_mib": "内存(MiB)",
    "disks": "磁盘数",
    "disk_gib": "数据空间(GiB)",
    "nics": "网口数",
    "nic_mbps": "网口速率(Mbit/s)",
    "fsync_p99_ms": "落盘时延 p99(毫秒)",
    "clock_ms": "时钟偏差(毫秒)",
    "bonded": "网口冗余",
    "physical": "物理机",
    "link": "到自治区专线",
    "link_mbps": "专线带宽(Mbit/s)",
    "link_ms": "专线时延(毫秒)",
    "link_loss_percent": "专线丢包(%)",
    "bmc": "管理控制器",
    "bmc_health": "整机健康状态",
    "bmc_ill": "故障部件",
    "bmc_drives": "完好磁盘数",
    "power_supplies": "完好电源数",
    "fans": "完好风扇数",
    "firmware_bmc": "管理控制器固件",
    "firmware_bios": "BIOS 固件",
    "firmware_board": "主板固件",
    "firmware_system": "系统固件",
}
VERDICTS = {"passed": "合格", "failed": "不合格", "not_checked": "未检"}


def render(acceptance: Acceptance) -> str:
    """Self-contained and printable."""
    template = pages.environment().get_template("acceptance.html.j2")
    return template.render(acceptance=acceptance, names=NAMES, verdicts=VERDICTS)
