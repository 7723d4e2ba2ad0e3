"""Money is an integer in fen; people read and write yuan."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

# More than any budget of a country; far below bigint's bound, so that sums cannot overflow.
FEN_MOST = 10**15
_YUAN = re.compile(r"(-?)(\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,2}))?", re.ASCII)


def yuan(fen: int) -> str:
    """Fen as yuan, for reading: 123456789 → 1,234,567.89."""
    return f"{Decimal(fen) / 100:,.2f}"


def fen(text: object) -> int:
    """What a person writes in yuan, as fen: 1,234.5 → 123450.

    Raises:
        PydanticCustomError: it is no amount, or has more than two decimals.
    """
    found = _YUAN.fullmatch(str(text).strip().replace("\uff0c", ",").removeprefix("¥"))
    if not found:
        raise PydanticCustomError("yuan", "must be an amount in yuan such as 1,234.56")
    sign, whole, rest = found.groups()
    return int(sign + whole.replace(",", "") + (rest or "").ljust(2, "0"))


# In a form: given in yuan, held in fen.
Yuan = Annotated[
    int, BeforeValidator(fen), Field(ge=-FEN_MOST, le=FEN_MOST), WithJsonSchema({"type": "string"})
]
