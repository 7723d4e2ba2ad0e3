"""Tables in a narrow terminal: names whole, texts below each other, numbers on the right."""

import io

from rich.console import Console

from rollout.tables import plain

NAME = "防城港 fangchenggang"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def test_names_are_whole_and_texts_go_on_below() -> None:
    table = plain("site", "what", "seconds", numbers={"seconds"})
    table.add_row(NAME, f"its digest is {DIGEST}", "7")
    file = io.StringIO()
    Console(width=40, file=file).print(table)
    head, first, *_ = lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert first.startswith(NAME)
    # Nothing of a word without spaces is left out either.
    assert DIGEST in "".join("".join(lines).replace(" 7", "").split())
    assert first.endswith(" 7")
    assert len(first) + NAME.count("防城港") * 3 == len(head)
