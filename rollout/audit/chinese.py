"""The report's sentences in Chinese; the findings themselves are written in English."""

import re

from rollout.audit import actions

KINDS = {
    "behind": "落后",
    "ahead": "超前",
    "missing": "缺失",
    "extra": "多余",
    "other_edition": "其他版别",
    "modified": "被改动",
    "not_running": "未运行",
    "unreachable": "不可达",
    "waived": "已豁免",
}

_SENTENCES = {
    actions.INSTALL: "apply 将安装此确切版本",
    actions.GO_BACK: "apply 将退回到此确切版本",
    actions.ROLLBACK: "本平台的系统只能通过 rollout rollback 退回旧版本",
    actions.REMOVE: "apply 将在计划中列明后卸载",
    actions.KEEP: "apply 从不卸载基本、内核或固件软件包；请人工决定并卸载",
    actions.HEAL: "apply 先让 dpkg 完成配置，再安装此确切版本",
    actions.REINSTALL: "请从软件仓库重新安装该软件包：apt-get install --reinstall 软件包",
    actions.REBUILD: "apply 将用软件仓库中的 wheel 重建运行环境",
    actions.REWRITE: "apply 将重新写入",
    actions.DELETE: "查明来源并删除",
    actions.START: "apply 将启动它；若再次失败，请查看其日志",
    actions.ENABLE: "apply 将设为开机启动",
    actions.RELOAD: "apply 将让 systemd 重新读取单元文件",
    actions.RESTART: "apply 将重新启动它",
    actions.REBOOT: "请在空闲时段重启主机，期间由另一台承担业务",
    actions.REJOIN: "apply 将恢复缺失的成员；在此之前本站点不受保护",
    actions.RESUME: "请结束维护模式：patronictl resume",
    actions.LOOK: "请人工检查该主机：审计无法看到此项",
    actions.POWER: "请开机或修复网络，然后重新审计",
    actions.TRUST: "请将主机密钥与交付记录核对，切勿未经核对即接受",
    actions.LET_IN: "请重新允许控制节点的密钥登录，并允许免密码 sudo",
}

_SENTENCES |= {
    "not installed": "未安装",
    "installed": "已安装",
    "not there": "不存在",
    "not loaded": "未加载",
    "in no wheel of the release": "不在发布版的任何 wheel 中",
    "written by no role": "不由任何角色写入",
    "active": "运行",
    "active, enabled": "运行且开机启动",
    "there is no such unit": "没有此服务单元",
    "answers": "可达",
    "answers at /version": "应在 /version 应答",
    "runs what is on disk": "运行磁盘上的现有文件",
    "runs as its unit file says": "按单元文件运行",
    "the unit file changed after systemd read it": "systemd 读取后单元文件又被改动",
    "one leader and one synchronous standby, both running": "一主一同步备，均在运行",
    "the platform's environment": "平台运行环境",
    "release": "发布版",
    "kernel": "内核",
    "seen": "可见",
    "its SSH host key is not known to this control node": "本控制节点不认识其 SSH 主机密钥",
    "it shows another SSH host key than the one that is known": "其 SSH 主机密钥与已登记的不同",
    "it does not accept the control node's SSH key": "不接受控制节点的 SSH 密钥",
    "it does not let the control node's user become root": "不允许控制节点的用户取得 root 权限",
    "no SSH server answers at its address": "该地址上没有 SSH 服务应答",
}

_PATTERNS = (
    (r"waived until (\S+) by (.+?): (.+)", r"豁免至 \1，批准人 \2：\3"),
    (
        r"(\S+): the waiver for (.+) \((\w+)\) on (\S+) expired on (\S+) and is ignored",
        r"\1：\4 上 \2（\3）的豁免已于 \5 到期，不再生效",
    ),
    (r"(\S+): its clock is (\S+) s off this control node's", r"\1：其时钟与本控制节点相差 \2 秒"),
    (r"no answer within (\d+) s", r"\1 秒内无应答"),
    (r"unprotected: (.+)", r"不受保护：\1"),
    (r"still runs replaced files: (.+)", r"仍在运行已被替换的文件：\1"),
    (r"(\d+) dists", r"\1 个 Python 组件"),
    (r"(\d+) files", r"\1 个文件"),
    (r"(\S+) serial (\d+)", r"\1 序号 \2"),
)


def say(text: str) -> str:
    """The text in Chinese; versions, paths and what is not known stay as they are."""
    if text in _SENTENCES:
        return _SENTENCES[text]
    for pattern, chinese in _PATTERNS:
        if re.fullmatch(pattern, text):
            return re.sub(pattern, chinese, text)
    return text
