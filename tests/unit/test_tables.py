"""Tables in a narrow terminal: names whole, texts below each other, numbers on the right."""

import io

from rich.console import Console

from rollout.tables import plain


def test_names_are_whole_and_texts_go_on_below() -> None:
    table = plain("site", "what", "seconds", numbers={"seconds"})
    table.add_row("fangchenggang", "a text that is much longer than there is room for it", "7")
    console = Console(width=40, file=io.StringIO())
    console.print(table)
    shown = console.file.getvalue()
    assert "fangchenggang" in shown
    assert "…" not in shown
    assert " ".join(shown.split()).count("room") == 1
    assert max(map(len, shown.splitlines())) <= 40
    first = shown.splitlines()[1].rstrip()
    assert first.endswith("7")
    assert len(first) == len(shown.splitlines()[0].rstrip())
