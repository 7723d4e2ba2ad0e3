"""登记: what an entry of each register says, as it is asked for and as it is kept."""

import datetime as dt
import re
from typing import Annotated, Literal

from jincai.money import FEN_MOST, Yuan
from jincai.paging import DivisionCode
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

# An entry of which nobody says since when: for as long as there have been budgets.
ALWAYS = dt.date(1949, 10, 1)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

LimitKind = Literal["payment", "cash_day", "cash_month"]


def _iso(given: object) -> object:
    # Digits alone would be taken for seconds since 1970.
    if isinstance(given, dt.datetime | dt.date) or (isinstance(given, str) and _ISO.fullmatch(given)):
        return given
    raise PydanticCustomError("date_parsing", "must be a date such as 2010-03-05")


Day = Annotated[dt.date, BeforeValidator(_iso)]
# Names and accounts: something printable that is not blank.
_NAME = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
Name = Annotated[str, Field(max_length=200, pattern=_NAME)]
Account = Annotated[str, Field(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z -]+$")]
Agency = Annotated[str, Field(max_length=30, pattern=r"^[0-9A-Za-z.-]+$")]


class Entry(BaseModel):
    """What entries of every register have: whose they are, and from when to when (inclusive) they hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    division: DivisionCode
    agency_code: Agency
    valid_from: Day = ALWAYS
    valid_to: Day | None = None


class OwnAccount(Entry):
    """账户备案: an account that a unit holds itself."""

    holder: Name
    account: Account


class Contract(Entry):
    """基建合同: whom a construction project may pay; ``dep_exp_eco_code`` "" is any item."""

    project_code: Annotated[str, Field(max_length=60, pattern=r"^[0-9A-Za-z._-]+$")]
    contract_no: Name
    payee_name: Name
    payee_account: Account
    dep_exp_eco_code: Annotated[str, Field(max_length=10, pattern=r"^[0-9]*$")] = ""


class UnitLimit(Entry):
    """单位限额: fen that a unit ("": each unit of the division) may pay at once, or draw in cash."""

    agency_code: Annotated[str, Field(max_length=30, pattern=r"^[0-9A-Za-z.-]*$")] = ""
    kind: LimitKind
    amount: Annotated[int, Field(ge=0, le=FEN_MOST)]


class UnitLimitInYuan(UnitLimit):
    """The same as people write it: forms and files say yuan."""

    amount: Annotated[Yuan, Field(ge=0, le=FEN_MOST)]


class Kept(Entry):
    """What every kept entry has beside what it says."""

    id: int
    made_by: str
    made_at: dt.datetime


class KeptAccount(OwnAccount, Kept):
    """An account as it is kept."""


class KeptContract(Contract, Kept):
    """A contract as it is kept."""


class KeptLimit(UnitLimit, Kept):
    """A limit as it is kept."""
