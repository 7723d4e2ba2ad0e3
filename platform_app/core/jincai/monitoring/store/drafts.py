"""Drafts of rules (规则草案): begun from the newest version, changed, given up; any text may wait in one."""

from psycopg import AsyncConnection

from jincai.monitoring.store import versions
from jincai.monitoring.store.versions import RULES_MOST, SOURCE_BYTES, Version
from jincai.standards.editions import RefusedError

# What a new rule begins with: every part that a rule needs, to be written over.
SKELETON = """\
id: {rule}
title: 规则名称
title_en: Name of the rule
subject: payment
stage: during
level: yellow
disposal: warn
reason: 为什么要有这条规则。
legal_basis: 依据的制度文件。
thresholds:
  least:
    value: 5000000
    unit: fen
    title: 金额不少于
when: amount >= least
exempt: []
examples:
  fires:
    - note: 达到限额
      record: {{amount: 5000000}}
  passes:
    - note: 低于限额
      record: {{amount: 4999999}}
"""
# What people gave up is no model for the next one.
_NEWEST = """
SELECT source FROM monitor.rule_version
 WHERE rule = %s AND state <> 'discarded'
 ORDER BY version DESC
 LIMIT 1
"""
# Two people begin a draft at once: the second finds the first one's.
_BEGIN = """
INSERT INTO monitor.rule_version (rule, version, source, made_by)
SELECT %(rule)s, coalesce(max(version), 0) + 1, %(source)s, %(actor)s
  FROM monitor.rule_version
 WHERE rule = %(rule)s
    ON CONFLICT DO NOTHING
RETURNING version
"""
_CHANGE = """
UPDATE monitor.rule_version
   SET source = %(source)s, state = %(state)s, revision = revision + 1,
       changed_by = CASE WHEN made_by = %(actor)s OR %(actor)s = ANY (changed_by) THEN changed_by
                         ELSE changed_by || %(actor)s::text END
 WHERE rule = %(rule)s AND version = %(version)s AND state = 'draft'
"""
_HOW_MANY = "SELECT count(DISTINCT rule), bool_or(rule = %s) FROM monitor.rule_version"


def tidy(source: str) -> str:
    """The text as it is kept: lines as a Unix file has them, however the browser sent them.

    Raises:
        RefusedError: 422, empty, with a NUL, or larger than a rule may be.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    if not text.strip():
        raise RefusedError(422, "规则内容为空。", "The rule is empty.")
    if "\x00" in text:
        raise RefusedError(422, "规则内容含有空字符(NUL)。", "The rule contains a NUL character.")
    if (size := len(text.encode())) > SOURCE_BYTES:
        zh = f"规则内容{size}字节,最多{SOURCE_BYTES}字节。请删减名单或示例。"
        en = f"The rule has {size} bytes, {SOURCE_BYTES} at most: shorten its lists or examples."
        raise RefusedError(422, zh, en)
    return text


async def begin(cx: AsyncConnection, rule: str, source: str | None, actor: str) -> Version:
    """A draft made by ``actor``: with ``source``, else a copy of the newest version, else a skeleton.

    Begun again by the same person before anything was changed it is the same draft.

    Raises:
        RefusedError: 409, there is a draft already or there are too many rules; 422, the text is too large.
    """
    text = tidy(source) if source is not None else await _newest(cx, rule) or SKELETON.format(rule=rule)
    await _refuse_too_many(cx, rule)
    given = {"rule": rule, "source": text, "actor": actor}
    made = await (await cx.execute(_BEGIN, given)).fetchone()
    if made:
        return await versions.get(cx, rule, made[0])
    there = await versions.draft(cx, rule)
    if (there.made_by, there.revision, there.source) == (actor, 1, text):
        return there
    zh = f"规则{rule}已有草案(第{there.version}版,{there.made_by}编制),请先发布或撤销。"
    en = f"{rule} has a draft (version {there.version}, by {there.made_by}): publish or discard it first."
    raise RefusedError(409, zh, en)


async def save(cx: AsyncConnection, rule: str, revision: int, source: str, actor: str) -> Version:
    """The draft with another text, if it is still at ``revision``. A text without change is no change.

    Raises:
        RefusedError: 404, no draft; 409, somebody changed it meanwhile; 422, the text is too large.
    """
    text = tidy(source)
    draft = await versions.draft(cx, rule, lock=True)
    if draft.source == text and draft.revision in {revision, revision + 1}:
        return draft
    _refuse_stale(draft, revision)
    return await _change(cx, draft, text, "draft", actor)


async def discard(cx: AsyncConnection, rule: str, revision: int, actor: str) -> Version:
    """The draft given up, if it is still at ``revision``; it stays to be read, named after who gave it up.

    Raises:
        RefusedError: 404, no draft; 409, somebody changed it meanwhile.
    """
    draft = await versions.draft(cx, rule, lock=True)
    _refuse_stale(draft, revision)
    return await _change(cx, draft, draft.source, "discarded", actor)


def _refuse_stale(draft: Version, revision: int) -> None:
    if draft.revision != revision:
        by = ", ".join((draft.made_by, *draft.changed_by))
        zh = f"草案已改为第{draft.revision}次修订(修改人:{by}),请重新打开后再操作。"
        en = f"The draft is at revision {draft.revision} now (changed by {by}): open it again."
        raise RefusedError(409, zh, en)


async def _change(cx: AsyncConnection, draft: Version, source: str, state: str, actor: str) -> Version:
    given = {"rule": draft.rule, "version": draft.version, "source": source, "state": state, "actor": actor}
    await cx.execute(_CHANGE, given)
    return await versions.get(cx, draft.rule, draft.version)


async def _newest(cx: AsyncConnection, rule: str) -> str | None:
    row = await (await cx.execute(_NEWEST, (rule,))).fetchone()
    return row[0] if row else None


async def _refuse_too_many(cx: AsyncConnection, rule: str) -> None:
    row = await (await cx.execute(_HOW_MANY, (rule,))).fetchone()
    if row and row[0] >= RULES_MOST and not row[1]:
        raise RefusedError(
            409,
            f"最多{RULES_MOST}条规则,请修改已有规则。",
            f"There are {RULES_MOST} rules, which is the most: change one of them instead.",
        )
