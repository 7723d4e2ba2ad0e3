"""Publishing (发布规则): by a second person, after everything was checked once more, into the next edition.

All in one transaction: a rule that is wrong, contradicts its examples or is too slow leaves the edition in
force as it is. Payments are posted meanwhile; they take the new edition up when it is committed.
"""

import asyncio

from psycopg import AsyncConnection

from jincai.monitoring.store import checking, cost, editions, trying, versions
from jincai.monitoring.store.checking import Checked, Vocabularies
from jincai.monitoring.store.cost import Cost
from jincai.monitoring.store.editions import Decided, Edition, Place
from jincai.monitoring.store.versions import Version
from jincai.monitoring.vocabulary import Vocabulary
from jincai.standards.editions import RefusedError

# Examples and the trial take longer than a posting may.
WITHIN_SECONDS = 30

_PUBLISH = """
UPDATE monitor.rule_version
   SET state = 'published', published_by = %s, published_at = clock_timestamp()
 WHERE rule = %s AND version = %s AND state = 'draft'
"""
_ITS_EDITION = """
SELECT e.number FROM monitor.edition AS e
  JOIN monitor.edition_rule AS r ON r.edition = e.number
 WHERE (r.rule, r.version, e.published_by) = (%s, %s, %s)
 ORDER BY e.number
 LIMIT 1
"""
_LOCK = "SELECT FROM monitor.rule_version WHERE rule = %s AND version = %s FOR NO KEY UPDATE"


async def publish(
    cx: AsyncConnection, place: Place, revision: int, by: Decided, known: Vocabularies
) -> Edition:
    """Put the draft that is ``place``'s version in force, live or as a shadow, as it is at ``revision``.

    Asked again by the same person it is the same edition.

    Raises:
        RefusedError: 403, the publisher made or changed it; 404; 409, it changed meanwhile, was given up or
            published by somebody else; 422, it is wrong, contradicts its examples or is too slow.
    """
    await cx.execute(_LOCK, (place.rule, place.version))
    draft = await versions.get(cx, place.rule, place.version)
    if draft.state == "published" and (draft.published_by, draft.revision) == (by.actor, revision):
        row = await (await cx.execute(_ITS_EDITION, (draft.rule, draft.version, by.actor))).fetchone()
        if row:
            return await editions.get(cx, row[0])
    _refuse_state(draft)
    _refuse_own(draft, by.actor)
    if draft.revision != revision:
        zh = f"草案已改为第{draft.revision}次修订,请重新查看后再发布。"
        en = f"The draft is at revision {draft.revision} now: look at it again, then publish."
        raise RefusedError(409, zh, en)
    await verified(cx, draft, known)
    await cx.execute(_PUBLISH, (by.actor, draft.rule, draft.version))
    return await editions.amend(cx, editions.placed(place), by)


async def put(cx: AsyncConnection, place: Place, by: Decided, known: Vocabularies) -> Edition:
    """Put a published version in force: a shadow becomes live, an earlier version comes back.

    Raises:
        RefusedError: as for `publish`; 409, it is a draft or stands there already.
    """
    version = await versions.get(cx, place.rule, place.version)
    if version.state != "published":
        zh = f"规则{place.rule}第{place.version}版尚未发布。"
        raise RefusedError(409, zh, f"Version {place.version} of {place.rule} is not published.")
    _refuse_own(version, by.actor)
    await verified(cx, version, known)
    return await editions.amend(cx, editions.placed(place), by)


async def withdraw(cx: AsyncConnection, rule: str, by: Decided) -> Edition:
    """Take the rule out of force, its shadow as well.

    Raises:
        RefusedError: 409, it is not in force.
    """
    return await editions.amend(cx, editions.without(rule, shadow_only=False), by)


async def end_shadow(cx: AsyncConnection, rule: str, by: Decided) -> Edition:
    """End the rule's trial run.

    Raises:
        RefusedError: 409, there is none.
    """
    return await editions.amend(cx, editions.without(rule, shadow_only=True), by)


async def verified(cx: AsyncConnection, version: Version, known: Vocabularies) -> Cost:
    """Everything that must be right with a version before it is in force.

    Raises:
        RefusedError: 422, the first thing that is not.
    """
    found = await asyncio.to_thread(checking.check, version.source, version.rule, known)
    for one in found.mistakes:
        zh = f"第{one.line}行:{one.zh}" if one.line else one.zh
        raise RefusedError(422, zh, f"line {one.line}: {one.en}" if one.line else one.en)
    if found.rule is None or found.compiled is None:
        raise ValueError("a text without mistakes is a rule")
    vocabulary = known[found.rule.subject]
    await _refuse_contradictions(cx, found, vocabulary)
    if found.compiled.built_in:
        return Cost(0)
    return await cost.measure(cx, found.compiled.predicate, vocabulary)


async def _refuse_contradictions(cx: AsyncConnection, found: Checked, vocabulary: Vocabulary) -> None:
    if found.rule is None:
        return
    wrong = [one for one in await trying.examples_of(cx, found.rule, vocabulary) if not one.right]
    if wrong:
        zh = ";".join(f"“{one.note}”{'未触发' if one.expected else '触发了'}" for one in wrong[:5])
        en = "; ".join(f"“{one.note}” {'did not fire' if one.expected else 'fired'}" for one in wrong[:5])
        raise RefusedError(
            422,
            f"规则与自己的示例矛盾({len(wrong)}个):{zh}。请修改规则或示例。",
            f"The rule contradicts {len(wrong)} of its examples: {en}. Change the rule or the examples.",
        )


def _refuse_state(draft: Version) -> None:
    if draft.state == "published":
        who = draft.published_by
        raise RefusedError(409, f"该版本已由{who}发布。", f"It was published by {who} already.")
    if draft.state == "discarded":
        raise RefusedError(409, "该草案已撤销。", "The draft was discarded.")


def _refuse_own(version: Version, actor: str) -> None:
    if version.had_a_hand(actor):
        zh = "编制或修改过该版本的人不能发布,请由他人发布。"
        raise RefusedError(403, zh, "Who made or changed a version does not publish it: ask somebody else.")
