"""案件轨迹: writes one event of a case, after its row was changed; who and when the database sets itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import AsyncConnection

from jincai.monitoring.cases.attachments import File

# n, actor, at and both hashes are the trigger's; what stands here only fills the columns.
_EVENT = """
INSERT INTO monitor.case_event (case_id, n, action, actor, at, from_state, to_state, text, detail, files,
                                visible_to_unit, prev_hash, hash)
SELECT c.id, c.revision, %(action)s, '-', statement_timestamp(), %(before)s, %(after)s, %(text)s,
       %(detail)s::jsonb, %(files)s, %(visible)s, c.last_hash, c.last_hash
  FROM monitor.case_file AS c WHERE c.id = %(case_id)s
"""
_FILE = """
INSERT INTO monitor.case_attachment (case_id, n, name, kind, sha256, bytes)
SELECT c.id, c.revision, %s, %s, %s, %s FROM monitor.case_file AS c WHERE c.id = %s
"""


@dataclass(frozen=True)
class Told:
    """What an event says; ``visible``: to the unit as well."""

    action: str
    before: str
    after: str
    text: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    visible: bool = False


async def add(cx: AsyncConnection, case_id: int, told: Told, files: Sequence[File] = ()) -> None:
    """Write the event that goes with the case's present revision, and its attachments."""
    await cx.execute(
        _EVENT,
        {
            "case_id": case_id,
            "action": told.action,
            "before": told.before,
            "after": told.after,
            "text": told.text,
            "detail": json.dumps(dict(told.detail), ensure_ascii=False),
            "files": [f"{one.sha256.hex()} {one.name}" for one in files],
            "visible": told.visible,
        },
    )
    for one in files:
        await cx.execute(_FILE, (one.name, one.kind, one.sha256, one.content, case_id))
