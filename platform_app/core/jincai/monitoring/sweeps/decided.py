"""A back-test beside cases that people have concluded: does the rule agree with them?"""

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict, computed_field

# Of records that the back-test came to, the newest conclusion about this rule.
_AGREEMENT = """
WITH decided AS (
    SELECT DISTINCT ON (a.subject_id, a.as_of) a.subject_id, a.as_of, c.conclusion
      FROM monitor.back_test AS b
      JOIN monitor.alert AS a ON a.rule = b.rule AND a.subject = b.subject AND NOT a.shadow
                             AND a.as_of BETWEEN b.from_day AND b.to_day
      JOIN monitor.case_alert AS ca ON ca.alert_id = a.id
      JOIN monitor.case_file AS c ON c.id = ca.case_id AND c.conclusion <> ''
      JOIN monitor.back_test_part AS p ON p.back_test = b.id AND p.division = a.division
                                      AND (p.done OR (a.as_of, a.subject_id) <= (p.cursor_day, p.cursor_id))
     WHERE b.id = %s
     ORDER BY a.subject_id, a.as_of, c.id DESC
), fired AS (
    SELECT d.conclusion, EXISTS (SELECT FROM monitor.back_test_hit AS h
                                  WHERE (h.back_test, h.as_of, h.subject_id)
                                      = (%s, d.as_of, d.subject_id)) AS fires
      FROM decided AS d
)
SELECT count(*) FILTER (WHERE conclusion = 'violation' AND fires),
       count(*) FILTER (WHERE conclusion = 'violation' AND NOT fires),
       count(*) FILTER (WHERE conclusion = 'normal' AND fires),
       count(*) FILTER (WHERE conclusion = 'normal' AND NOT fires)
  FROM fired
"""
_COUNTS = ("violation_fired", "violation_missed", "normal_fired", "normal_passed")


class Agreement(BaseModel):
    """Records with a concluded case about this rule: what the case says, and whether the version fires.

    Attributes:
        violation_fired: a violation, and it fires: right.
        violation_missed: a violation that it would miss.
        normal_fired: nothing wrong, but it fires.
        normal_passed: nothing wrong, and it is silent: right.
        percent: of all these, how many are right.
    """

    model_config = ConfigDict(frozen=True)

    violation_fired: int
    violation_missed: int
    normal_fired: int
    normal_passed: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        """How many are decided."""
        return self.violation_fired + self.violation_missed + self.normal_fired + self.normal_passed

    @computed_field  # type: ignore[prop-decorator]
    @property
    def percent(self) -> int:
        """How many in a hundred it is right about, rounded down."""
        return 100 * (self.violation_fired + self.normal_passed) // (self.total or 1)


async def agreement(cx: AsyncConnection, number: int) -> Agreement | None:
    """How back-test ``number`` agrees with what was concluded; None where nothing was."""
    row = await (await cx.execute(_AGREEMENT, (number, number))).fetchone()
    found = Agreement(**dict(zip(_COUNTS, row or (0, 0, 0, 0), strict=True)))
    return found if found.total else None
