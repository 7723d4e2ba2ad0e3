"""Sheets and bulletins as pages: Chinese, printable, nothing loaded from anywhere."""

from collections.abc import Mapping, Sequence

from rollout import pages
from rollout.progress.assess import SiteSheet
from rollout.progress.bulletin import Bulletin
from rollout.progress.sheet import Sheet

STATES = {"done": "完成", "blocked": "逾期未整改", "late": "滞后", "open": "未到期"}
GRANTS = {"implementation": "实施费", "running": "运行费", "reward": "奖励"}


def of_bulletin(found: Bulletin) -> str:
    """A bulletin's page."""
    return _render("progress-bulletin.html.j2", bulletin=found)


def of_site(sheet: Sheet, found: SiteSheet) -> str:
    """One site's sheet with every sub-item, who leads, and what proves it."""
    lines = {line.part: line for line in found.lines}
    return _render("progress-site.html.j2", sheet=sheet, found=found, lines=lines)


def of_region(sheets: Sequence[SiteSheet], newest: Bulletin, links: Mapping[str, str]) -> str:
    """The region's page; ``links``: site → its page."""
    return _render("progress-region.html.j2", sheets=sheets, bulletin=newest, links=links)


def wan(fen: int) -> str:
    """Fen as 万元, exact to the fen where there is any."""
    whole, rest = divmod(fen, 1_000_000)
    return f"{whole:,}" if not rest else f"{fen / 1_000_000:,.6f}".rstrip("0")


def _render(name: str, **values: object) -> str:
    environment = pages.environment()
    environment.filters["wan"] = wan
    return environment.get_template(name).render(states=STATES, grants=GRANTS, **values)
