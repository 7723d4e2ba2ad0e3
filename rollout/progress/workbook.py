"""A bulletin as a workbook, for people who calculate on."""

from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from rollout.progress.bulletin import Bulletin
from rollout.progress.pages import GRANTS

# A cell that begins like this would be a formula.
_FORMULA = ("=", "+", "-", "@")
_WIDTHS = (8, 14, 40, 14, 14, 14, 14, 14)


def of_bulletin(found: Bulletin) -> bytes:
    """Four sheets: ranking, what moved, what is late, funding (yuan)."""
    book = Workbook()
    del book[book.sheetnames[0]]
    note = "(模拟数据)" if found.simulated else ""
    places = [
        (p.place, p.title, p.score, p.planned, p.late, str(p.forecast or ""), str(p.live or ""))
        for p in found.places
    ]
    _sheet(book, f"排名{note}", ("名次", "城市", "得分", "计划分", "滞后项", "预计上线", "已上线"), places)
    moved = [(m.title, m.points, "、".join(m.parts)) for m in found.moved]
    _sheet(book, "本期进展", ("城市", "增加分", "完成事项"), moved)
    late = [(one.title, one.part, one.lead, str(one.due), one.days) for one in found.late]
    _sheet(book, "滞后事项", ("城市", "事项", "牵头单位", "应完成", "滞后工作日"), late)
    funds = [
        (f.title, GRANTS[g.kind], g.amount / 100, "是" if g.due else "否", g.why)
        for f in found.funding
        for g in f.grants
    ]
    _sheet(book, "经费", ("城市", "类别", "金额(元)", "符合条件", "说明"), funds)
    output = BytesIO()
    book.save(output)
    return output.getvalue()


def _sheet(book: Workbook, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    page: Worksheet = book.create_sheet(title)
    page.append(list(head))
    for cell in page[1]:
        cell.font = Font(bold=True)
    for row in rows:
        page.append([f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA) else v for v in row])
    page.freeze_panes = "A2"
    for column, width in zip("ABCDEFGH", _WIDTHS, strict=True):
        page.column_dimensions[column].width = width
