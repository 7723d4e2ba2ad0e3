from io import StringIO

from rich.console import Console

from rollout.apply import show
from rollout.apply.show import Lines, LiveTable


def play(lines: Lines) -> None:
    lines.begin("yulin", 3, 10, "etcd")
    lines.event("yulin", {"event": "task", "name": "etcd : Configure"})
    lines.event("yulin", {"event": "ok", "host": "yulin-a", "task": "t", "changed": True})
    lines.event("yulin", {"event": "ok", "host": "yulin-b", "task": "t", "changed": False})
    lines.event("yulin", {"event": "skipped", "host": "yulin-b", "task": "t"})


def test_a_line_when_a_step_ends_with_exact_counts() -> None:
    output = StringIO()
    lines = Lines(Console(file=output, width=40))
    play(lines)
    lines.event("yulin", {"event": "stats", "ok": {"yulin-a": 2, "yulin-b": 1}, "changed": {"yulin-a": 2}})
    lines.end("yulin", "done")
    text = output.getvalue()
    assert text.count("\n") == 1
    assert "yulin   3/10  etcd" in text
    assert "3 ok, 2 changed" in text


def test_no_terminal_no_table() -> None:
    with show.shown(Console(file=StringIO())) as shown:
        assert not isinstance(shown, LiveTable)


def test_on_a_terminal_every_host_with_step_task_and_counts() -> None:
    output = StringIO()
    console = Console(file=output, width=120, force_terminal=True)
    with show.shown(console) as shown:
        assert isinstance(shown, LiveTable)
        play(shown)
        drawn = Console(file=StringIO(), width=120)
        drawn.print(shown)
        assert isinstance(drawn.file, StringIO)
        rows = drawn.file.getvalue().splitlines()
        assert rows[0].split() == [
            "yulin-a",
            "3/10",
            "etcd",
            "etcd",
            ":",
            "Configure",
            "1",
            "ok",
            "1",
            "changed",
        ]
        assert rows[1].split()[-2:] == ["1", "ok"]
        shown.end("yulin", "done")
        drawn.print(shown)
        assert len(drawn.file.getvalue().splitlines()) <= 3


def test_a_failed_host_is_marked_an_ignored_failure_is_not() -> None:
    lines = Lines(Console(file=StringIO()))
    play(lines)
    lines.event("yulin", {"event": "failed", "host": "yulin-a", "ignored": True, "message": ""})
    assert not lines.sites["yulin"].hosts["yulin-a"].failed
    lines.event("yulin", {"event": "unreachable", "host": "yulin-b", "ignored": False, "message": ""})
    assert lines.sites["yulin"].hosts["yulin-b"].failed


def test_the_recap_adds_up_and_shows_every_host() -> None:
    total: dict[str, dict[str, int]] = {}
    counts = {"ok": 2, "changed": 1, "failed": 0, "unreachable": 0, "skipped": 4}
    show.add(total, {"yulin-a": counts})
    show.add(total, {"yulin-a": counts, "yulin-b": counts})
    assert total["yulin-a"]["changed"] == 2
    output = StringIO()
    Console(file=output, width=100).print(show.recap({"yulin": total}))
    assert "yulin-a" in output.getvalue()
    assert "yulin-b" in output.getvalue()
