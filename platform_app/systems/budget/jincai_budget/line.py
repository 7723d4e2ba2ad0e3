"""A line of a proposal: what a stage asks or grants for one key of codes."""

from pydantic import BaseModel, ConfigDict, Field

from jincai_budget.procedure import Stage

AMOUNT_MOST = 10**15
LINES_MOST = 1000
CODE = r"^[0-9A-Za-z][0-9A-Za-z.-]{0,29}$"
# Printable text: PostgreSQL refuses NUL, and a summary holds no control characters.
TEXT = r"^[^\x00-\x1f\x7f]*$"


class Line(BaseModel):
    """A figure for one key; ``amount`` in fen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bgt_type_code: str = Field(pattern=CODE)
    fund_type_code: str = Field(pattern=CODE)
    exp_func_code: str = Field(pattern=CODE)
    dep_exp_eco_code: str = Field(pattern=CODE)
    project_code: str = Field(default="", max_length=30, pattern=r"^[0-9A-Za-z.-]*$")
    summary: str = Field(min_length=1, max_length=200, pattern=TEXT)
    amount: int = Field(ge=0, le=AMOUNT_MOST)

    @property
    def key(self) -> tuple[str, ...]:
        """What a stage has one line for."""
        return (
            self.bgt_type_code,
            self.fund_type_code,
            self.exp_func_code,
            self.dep_exp_eco_code,
            self.project_code,
        )


class KeptLine(Line):
    """A line as it stands; ``control_level`` 0 none, 1 warn, 2 strict counts from the approval on."""

    id: int
    stage: Stage
    control_level: int
    made_by: str
