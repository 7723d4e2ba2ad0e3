"""Tables in the terminal: without lines, so that what they say has the room."""

from collections.abc import Collection

from rich.table import Table


def plain(*columns: str, numbers: Collection[str] = ()) -> Table:
    """A table of these columns; ``numbers`` stand on the right.

    The first column names the row and is never cut; in the others a long text goes on below.
    """
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for place, name in enumerate(columns):
        table.add_column(
            name, no_wrap=not place, overflow="fold", justify="right" if name in numbers else "left"
        )
    return table
