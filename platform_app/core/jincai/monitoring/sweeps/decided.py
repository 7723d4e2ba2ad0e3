"""A back-test beside cases that people have concluded: does the rule agree with them?"""

from psycopg import AsyncConnection
from pydantic import BaseModel, ConfigDict


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

    @property
    def total(self) -> int:
        """How many are decided."""
        return self.violation_fired + self.violation_missed + self.normal_fired + self.normal_passed

    @property
    def percent(self) -> int:
        """How many in a hundred it is right about, rounded down."""
        return 100 * (self.violation_fired + self.normal_passed) // (self.total or 1)


async def agreement(cx: AsyncConnection, number: int) -> Agreement | None:
    """How back-test ``number`` agrees with what was concluded; None where nothing was."""
    return None
