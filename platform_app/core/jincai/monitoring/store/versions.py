"""A rule's versions (规则版本): which there are, what they say, and where each is in force."""

import datetime as dt
from typing import Annotated, Literal

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict, Field

from jincai.standards.editions import RefusedError

# So many rules are shown on a page and fit into an edition; ids go further, rules never come near.
RULES_MOST = 500
VERSIONS_MOST = 500
# As the table says.
SOURCE_BYTES = 65_536

RuleId = Annotated[str, Field(pattern=r"^R[1-9][0-9]{0,3}$")]
Number = Annotated[int, Field(ge=1, lt=2**31)]
State = Literal["draft", "published", "discarded"]


class Version(BaseModel):
    """One version; ``source`` is the YAML text, ``revision`` counts a draft's changes."""

    model_config = ConfigDict(frozen=True)

    rule: str
    version: int
    source: str
    state: State
    revision: int
    made_by: str
    made_at: dt.datetime
    changed_by: list[str]
    published_by: str | None
    published_at: dt.datetime | None

    def had_a_hand(self, actor: str) -> bool:
        """Whether ``actor`` made or changed it, and so never puts it in force."""
        return actor == self.made_by or actor in self.changed_by


class Line(BaseModel):
    """A rule in the list: numbers of its live, shadow (试运行) and draft version, and the text to show."""

    model_config = ConfigDict(frozen=True)

    rule: str
    live: int | None
    shadow: int | None
    draft: int | None
    newest: int
    source: str


_FIELDS = """
SELECT rule, version, source, state, revision, made_by, made_at, changed_by, published_by, published_at
  FROM monitor.rule_version
"""
_ONE = _FIELDS + " WHERE rule = %s AND version = %s"
_DRAFT = _FIELDS + " WHERE rule = %s AND state = 'draft'"
_EVERY = _FIELDS + " WHERE rule = %s ORDER BY version DESC LIMIT %s"
# Of a rule, or with NULL of all: in the edition in force, and beside it.
_LINES = """
WITH present AS (
    SELECT rule, version, shadow FROM monitor.edition_rule
     WHERE edition = (SELECT max(number) FROM monitor.edition)
), known AS (
    SELECT v.rule, max(v.version) AS newest, max(v.version) FILTER (WHERE v.state = 'draft') AS draft,
           (SELECT p.version FROM present AS p WHERE p.rule = v.rule AND NOT p.shadow) AS live,
           (SELECT p.version FROM present AS p WHERE p.rule = v.rule AND p.shadow) AS shadow
      FROM monitor.rule_version AS v
     WHERE %(rule)s::text IS NULL OR v.rule = %(rule)s
     GROUP BY v.rule
)
SELECT k.rule, k.live, k.shadow, k.draft, k.newest, v.source
  FROM known AS k
  JOIN monitor.rule_version AS v
    ON (v.rule, v.version) = (k.rule, coalesce(k.live, k.shadow, k.draft, k.newest))
 ORDER BY substr(k.rule, 2)::integer
 LIMIT %(most)s
"""


async def lines(cx: AsyncConnection) -> list[Line]:
    """Every rule there ever was, by number, `RULES_MOST` at most."""
    async with cx.cursor(row_factory=class_row(Line)) as cursor:
        return await (await cursor.execute(_LINES, {"rule": None, "most": RULES_MOST})).fetchall()


async def line(cx: AsyncConnection, rule: str) -> Line:
    """Where ``rule`` stands.

    Raises:
        RefusedError: 404, there is no such rule.
    """
    async with cx.cursor(row_factory=class_row(Line)) as cursor:
        found = await (await cursor.execute(_LINES, {"rule": rule, "most": 1})).fetchone()
    if found is None:
        raise RefusedError(404, f"没有规则{rule}。", f"There is no rule {rule}.")
    return found


async def get(cx: AsyncConnection, rule: str, version: int) -> Version:
    """One version.

    Raises:
        RefusedError: 404, there is none.
    """
    async with cx.cursor(row_factory=class_row(Version)) as cursor:
        found = await (await cursor.execute(_ONE, (rule, version))).fetchone()
    if found is None:
        raise RefusedError(404, f"规则{rule}没有第{version}版。", f"There is no version {version} of {rule}.")
    return found


async def history(cx: AsyncConnection, rule: str) -> list[Version]:
    """All versions, newest first, `VERSIONS_MOST` at most."""
    async with cx.cursor(row_factory=class_row(Version)) as cursor:
        return await (await cursor.execute(_EVERY, (rule, VERSIONS_MOST))).fetchall()


async def draft(cx: AsyncConnection, rule: str, *, lock: bool = False) -> Version:
    """The draft of ``rule``; with ``lock`` whoever else changes or publishes it waits.

    Raises:
        RefusedError: 404, there is none.
    """
    asked = _DRAFT + (" FOR NO KEY UPDATE" if lock else "")
    async with cx.cursor(row_factory=class_row(Version)) as cursor:
        found = await (await cursor.execute(asked, (rule,))).fetchone()
    if found is None:
        raise RefusedError(404, f"规则{rule}没有草案,请先新建。", f"{rule} has no draft: begin one first.")
    return found
