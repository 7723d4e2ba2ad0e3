"""What tests of monitoring stand on: rules of their own, put in force in one go."""

import hashlib
from pathlib import Path

import jincai_payment
import psycopg
import yaml

SHIPPED = Path(jincai_payment.__file__).parent / "rules"

_SHAPE = {
    "title": "示例规则",
    "title_en": "Example rule",
    "stage": "during",
    "level": "yellow",
    "disposal": "warn",
    "reason": "示例",
    "legal_basis": "示例",
    "examples": {
        "fires": [{"note": "示例", "record": {"amount": 1}}],
        "passes": [{"note": "示例", "record": {"amount": 2}}],
    },
}


def source(name: str, when: str, **more: object) -> str:
    """The text of a rule's file: ``name`` such as R900."""
    return yaml.safe_dump({"id": name, **_SHAPE, "when": when, **more}, allow_unicode=True, sort_keys=False)


def shipped(*names: str) -> tuple[str, ...]:
    """The files of the shipped rules ``names``; all of them, if none is named."""
    files = [SHIPPED / f"{name}.yml" for name in names] or sorted(SHIPPED.glob("R*.yml"))
    return tuple(file.read_text() for file in files)


def put_in_force(owner: str, *sources: str, shadow: tuple[str, ...] = ()) -> int:
    """A new edition of exactly these rules, without a person's check; its number."""
    with psycopg.connect(owner) as cx:
        row = cx.execute("SELECT coalesce(max(number), 0) + 1 FROM monitor.edition").fetchone()
        assert row
        edition = int(row[0])
        versions = [(*_kept(cx, text), beside) for text, beside in _beside(sources, shadow)]
        digest = hashlib.sha256(f"{edition} {versions}".encode()).digest()
        cx.execute(
            "INSERT INTO monitor.edition (number, digest, reason, published_by) VALUES (%s, %s, 'test', 'b')",
            (edition, digest),
        )
        for name, version, beside in versions:
            cx.execute(
                "INSERT INTO monitor.edition_rule (edition, rule, version, shadow) VALUES (%s, %s, %s, %s)",
                (edition, name, version, beside),
            )
    return edition


def _beside(sources: tuple[str, ...], shadow: tuple[str, ...]) -> list[tuple[str, bool]]:
    return [(text, False) for text in sources] + [(text, True) for text in shadow]


def _kept(cx: psycopg.Connection, text: str) -> tuple[str, int]:
    """The rule's version with this text, made if it is not there."""
    name = yaml.safe_load(text)["id"]
    found = cx.execute(
        "SELECT version FROM monitor.rule_version WHERE rule = %s AND source = %s AND state = 'published'",
        (name, text),
    ).fetchone()
    found = (
        found
        or cx.execute(
            "INSERT INTO monitor.rule_version"
            "       (rule, version, source, state, made_by, published_by, published_at)"
            " SELECT %s, coalesce(max(version), 0) + 1, %s, 'published', 'a', 'b', now()"
            "   FROM monitor.rule_version WHERE rule = %s RETURNING version",
            (name, text, name),
        ).fetchone()
    )
    assert found
    return name, int(found[0])
