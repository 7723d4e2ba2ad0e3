"""Everything as files in a folder: the region's page, a sheet per site, bulletins as HTML, PDF and XLSX."""

from collections.abc import Sequence
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.paper import pdf
from rollout.progress import pages, workbook
from rollout.progress.assess import SiteSheet
from rollout.progress.bulletin import Bulletin
from rollout.progress.sheet import Sheet


def write(
    folder: Path,
    sheet: Sheet,
    sheets: Sequence[SiteSheet],
    bulletins: Sequence[Bulletin],
) -> list[Path]:
    """Writes them, the newest bulletin as PDF too; what was written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: {error.strerror}", "Name a folder that can be written."
        ) from error
    links = {one.site: f"{one.site}.html" for one in sheets}
    files: dict[str, bytes] = {"index.html": pages.of_region(sheets, bulletins[-1], links).encode()}
    files |= {links[one.site]: pages.of_site(sheet, one).encode() for one in sheets}
    for one in bulletins:
        files |= of_bulletin(one, paper=one is bulletins[-1])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def of_bulletin(found: Bulletin, *, paper: bool) -> dict[str, bytes]:
    """File name → content."""
    page, name = pages.of_bulletin(found), f"bulletin-{found.number:02}"
    files = {f"{name}.html": page.encode(), f"{name}.xlsx": workbook.of_bulletin(found)}
    return files | ({f"{name}.pdf": pdf(page)} if paper else {})
