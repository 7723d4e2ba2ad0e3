import logging

import pytest
from jincai import logs
from jincai.logs import NotAgain


def passes(one: NotAgain, message: str) -> bool:
    return one.filter(logging.LogRecord("psycopg.pool", logging.WARNING, "", 0, message, None, None))


def test_a_message_passes_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    one, now = NotAgain(), [1000.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    assert [passes(one, text) for text in ("a", "a", "b", "a")] == [True, False, True, False]
    now[0] += 61
    assert passes(one, "a")
