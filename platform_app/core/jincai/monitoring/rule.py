"""监控规则: one rule as its file declares it, checked for form. What its expressions mean is `language`'s."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jincai.monitoring.vocabulary import Subject

Stage = Literal["before", "during", "after"]
Level = Literal["yellow", "orange", "red"]
Disposal = Literal["record", "warn", "warn_with_attachment", "hold", "forbid"]
NAME = r"^[a-z][a-z0-9_]{0,39}$"
Name = Annotated[str, Field(pattern=NAME)]
# An expression of the rule language, and a word of a list.
Expression = Annotated[str, Field(min_length=1, max_length=2000)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Value = bool | int | dt.date | str

_STOPS: frozenset[Disposal] = frozenset({"hold", "forbid"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Override(_Part):
    """A threshold's other value in a division (and all below it, unless they say otherwise) or a year."""

    division: str | None = Field(default=None, pattern=r"^[1-9][0-9]{5}$")
    year: int | None = Field(default=None, ge=1949, le=9999)
    value: int = Field(ge=-(10**15), le=10**15)

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.division is None and self.year is None:
            raise ValueError("an override names a division, a year, or both")
        return self


class Threshold(_Part):
    """A number that sites may set otherwise: fen for money, else a plain integer."""

    value: int = Field(ge=-(10**15), le=10**15)
    unit: Literal["fen", "integer"] = "fen"
    title: str = Field(min_length=1, max_length=100)
    overrides: tuple[Override, ...] = Field(default=(), max_length=500)


class Exemption(_Part):
    """What the rule does not apply to, with the reason; any one that matches skips the rule."""

    when: Expression
    reason: str = Field(min_length=1, max_length=300)


class Example(_Part):
    """A record as fields (amounts in fen), with earlier ones of its unit and what registers say.

    Attributes:
        note: what it shows.
        record: field → value; those not named are an ordinary record's.
        earlier: earlier records of the same unit, oldest first; each differs from the ordinary one.
        lookups: lookup → its answer, whatever it is asked; those not named answer false or nothing.
    """

    note: str = Field(min_length=1, max_length=200)
    record: Mapping[Name, Value] = Field(default_factory=dict)
    earlier: tuple[Mapping[Name, Value], ...] = Field(default=(), max_length=50)
    lookups: Mapping[Name, Value] = Field(default_factory=dict)


class Examples(_Part):
    """What must make the rule fire and what must not: at least one of each."""

    fires: tuple[Example, ...] = Field(min_length=1, max_length=50)
    passes: tuple[Example, ...] = Field(min_length=1, max_length=50)


class Rule(_Part):
    """One rule. Its file begins with ``id``.

    Attributes:
        id: such as ``R1``.
        subject: what kind of record it judges.
        stage: when it runs: 事前, 事中, 事后. The predicate is the same whenever it does.
        level: 黄, 橙, 红.
        disposal: 记录, 预警(无需附件), 预警(需附件), 拦截, 禁止; only a rule before payment stops one.
        reason: why there is such a rule, for whoever reads an alert.
        legal_basis: the regulation it follows.
        thresholds: name → number, to be used in expressions by name.
        lists: name → words or codes, to be used in expressions by name.
        when: the expression; it fires when this is true.
        exempt: any that matches skips the rule.
    """

    id: str = Field(pattern=r"^R[1-9][0-9]{0,3}$")
    title: str = Field(min_length=1, max_length=60)
    title_en: str = Field(min_length=1, max_length=100)
    subject: Subject = "payment"
    stage: Stage
    level: Level
    disposal: Disposal
    reason: str = Field(min_length=1, max_length=1000)
    legal_basis: str = Field(min_length=1, max_length=500)
    thresholds: Mapping[Name, Threshold] = Field(default_factory=dict, max_length=20)
    lists: Mapping[Name, Annotated[tuple[Word, ...], Field(min_length=1, max_length=2000)]] = Field(
        default_factory=dict, max_length=20
    )
    when: Expression
    exempt: tuple[Exemption, ...] = Field(default=(), max_length=20)
    examples: Examples

    @model_validator(mode="after")
    def _stage_and_disposal_agree(self) -> Self:
        if (self.disposal in _STOPS) != (self.stage == "before"):
            raise ValueError(
                f"disposal {self.disposal} does not fit stage {self.stage}: hold and forbid are for before"
            )
        if self.subject == "indicator" and self.stage != "after":
            raise ValueError("a rule about indicators runs in the after stage only")
        if both := set(self.thresholds) & set(self.lists):
            raise ValueError(f"{min(both)} is a threshold and a list")
        return self
