"""What rules are called: read from their versions' files, once for each, since a version never changes."""

from collections.abc import Collection

import yaml
from psycopg import AsyncConnection
from pydantic import ValidationError

from jincai.monitoring.rule import Rule

Title = tuple[str, str]

# Far more than there will ever be versions; a bound all the same.
KEPT_MOST = 5_000
_kept: dict[tuple[str, int], Title] = {}

_SOURCES = """
SELECT v.rule, v.version, v.source
  FROM unnest(%s::text[], %s::int[]) AS asked (rule, version)
  JOIN monitor.rule_version AS v USING (rule, version)
"""
# Ordered by number: R2 before R10.
_NEWEST = """
SELECT rule, max(version)
  FROM monitor.rule_version
 WHERE state = 'published'
 GROUP BY rule
 ORDER BY substr(rule, 2)::int
"""


async def of(cx: AsyncConnection, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], Title]:
    """Rule and version → its title in Chinese and English; the rule's number where no file tells."""
    asked = set(versions)
    if unknown := sorted(asked - _kept.keys()):
        if len(_kept) + len(unknown) > KEPT_MOST:
            _kept.clear()
        columns = [list(column) for column in zip(*unknown, strict=True)]
        for rule, version, source in await (await cx.execute(_SOURCES, columns)).fetchall():
            if found := read(source):
                _kept[rule, version] = (found.title, found.title_en)
    return {one: _kept.get(one, (one[0], one[0])) for one in asked}


async def in_use(cx: AsyncConnection) -> dict[str, Title]:
    """Every rule that was ever published → the title of its newest version, by number."""
    newest = await (await cx.execute(_NEWEST)).fetchall()
    titles = await of(cx, newest)
    return {rule: titles[rule, version] for rule, version in newest}


def read(source: str) -> Rule | None:
    """The rule that a version's file declares; None if it is none, which a page must survive."""
    try:
        return Rule.model_validate(yaml.safe_load(source))
    except (yaml.YAMLError, ValidationError):
        return None
