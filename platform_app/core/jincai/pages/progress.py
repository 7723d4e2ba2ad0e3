"""Pages of how far the rollout is (推进情况): all sites by place, and the sheet of one."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, Response

from jincai import language, progress
from jincai.auth.principal import Principal, may
from jincai.pages import rendering
from jincai.platform import PlatformOf

router = APIRouter(prefix="/rollout", include_in_schema=False, default_response_class=HTMLResponse)

Reader = Annotated[Principal, Depends(may("rollout.read"))]
# State of a sub-item → its names.
STATES = {
    "done": ("完成", "Done"),
    "blocked": ("逾期未整改", "Blocked by an overdue finding"),
    "late": ("滞后", "Late"),
    "open": ("未到期", "Not due yet"),
}
GRANTS = {
    "implementation": ("实施费", "Implementation"),
    "running": ("运行费", "Running cost"),
    "reward": ("奖励", "Reward"),
}


@router.get("")
async def overview(request: Request, platform: PlatformOf, reader: Reader) -> Response:
    """Every site that the reader may see: points, plan, lateness, funding."""
    found = await platform.database.read(progress.read, token=reader.token)
    return rendering.page(request, platform, "rollout.html", {"found": found, "grants": GRANTS})


@router.get("/{site}")
async def one_site(
    request: Request,
    platform: PlatformOf,
    reader: Reader,
    site: Annotated[str, Path(pattern=r"^[a-z][a-z0-9]{1,20}$")],
) -> Response:
    """The sheet of one site, every sub-item with what proves it; 404 if it is not the reader's."""
    found = await platform.database.read(progress.read, token=reader.token)
    sheet = next((one for one in found.sheets if one.site == site), None)
    if sheet is None:
        zh = language.of(request) == "zh"
        raise HTTPException(404, f"没有站点 {site} 的推进情况。" if zh else f"Nothing is known of {site}.")
    context = {"found": found, "sheet": sheet, "states": STATES, "grants": GRANTS}
    return rendering.page(request, platform, "rollout_site.html", context)
