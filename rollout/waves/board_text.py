"""The board on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rollout.waves.board import Board, BoardSite, BoardWave

STYLE = {
    "waiting": "dim",
    "running": "cyan",
    "watched": "blue",
    "done": "green",
    "failed": "bold red",
    "killed": "bold red",
    "stopped": "yellow",
    "back": "magenta",
}
CHINESE = {
    "waiting": "待开始",
    "running": "进行中",
    "watched": "观察中",
    "done": "完成",
    "failed": "失败",
    "killed": "中断",
    "stopped": "已停止",
    "back": "已回退",
}
_BAR = 12


def render(board: Board) -> RenderableType:
    """A table: a line a site, grouped by wave."""
    done, all_sites = board.counts
    minutes, seconds = divmod(int((board.at - board.started_at).total_seconds()), 60)
    head = Text.assemble(
        (f"{board.verb} {board.release}", "bold"),
        f"  {board.run}  by {board.who} from {board.from_host}  ",
        (board.state, STYLE[board.state]),
        f"  {done} of {all_sites} sites  {minutes}:{seconds:02}",
        (f"  {board.wanted}" if board.wanted else "", "yellow"),
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("wave", "site", "state", "step", "", "time"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for wave in board.waves:
        for number, site in enumerate(wave.sites):
            table.add_row(*_cells(wave, site, first=number == 0))
    notes = [Text(wave.detail, style="red") for wave in board.waves if wave.state in {"failed", "back"}]
    return Group(head, table, *notes)


def _cells(wave: BoardWave, site: BoardSite, *, first: bool) -> list[Text]:
    filled = round(_BAR * site.number / site.of) if site.of else 0
    state = f"{site.state} {wave.left:.0f} s left" if site.state == "watched" else site.state
    shut = ", ".join(gate.gate for gate in site.gates if not gate.open)
    step = f"{site.number}/{site.of} {site.step}" if site.of else ""
    return [
        Text(wave.name if first else "", style="bold"),
        Text(site.site),
        Text(state, style=STYLE[site.state]),
        Text(f"gates shut: {shut}" if shut else step, style="red" if shut else ""),
        Text("█" * filled + "░" * (_BAR - filled) if site.of else "", style=STYLE[site.state]),
        Text(f"{site.seconds:.0f} s" if site.of else ""),
    ]
