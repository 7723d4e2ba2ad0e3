"""Field names of outside systems: ours, or those of DA/T 95-2022, which carry their own units."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Parse = Callable[[str], int | str | None]


@dataclass(frozen=True)
class Name:
    """A name: our ``field``, how its text is read (None: it cannot be), and what to write instead."""

    field: str
    parse: Parse
    expected: str


def whole(text: str) -> int | None:
    """A whole number as JSON has it."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else None


def _text(text: str) -> str:
    return text


def _fen(yuan: str) -> int | None:
    """Fen of an amount in yuan, exactly: at most two places, no separators."""
    found = re.fullmatch(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?", yuan)
    if not found:
        return None
    fen = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -fen if found[1] else fen


def _day(text: str) -> str | None:
    found = re.fullmatch(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})", text)
    return "-".join(found.groups()) if found else None


def _division(text: str) -> str | None:
    """Six digits; of a fiscal code's nine the last are 000, the level itself."""
    found = re.fullmatch(r"([1-9][0-9]{5})(?:000)?", text)
    return found[1] if found else None


STANDARD: dict[str, Name] = {
    "AdmDivCode": Name("division", _division, "450100 / 450100000"),
    "StYear": Name("fiscal_year", whole, "2010"),
    "VouDate": Name("pay_date", _day, "20100305 / 2010-03-05"),
    "VoucherNo": Name("idempotency_key", _text, ""),
    "AgencyCode": Name("agency_code", _text, ""),
    "FundTypeCode": Name("fund_type_code", _text, ""),
    "BgtTypeCode": Name("bgt_type_code", _text, ""),
    "ExpFuncCode": Name("exp_func_code", _text, ""),
    "GovExpEcoCode": Name("gov_exp_eco_code", _text, ""),
    "DepExpEcoCode": Name("dep_exp_eco_code", _text, ""),
    "DepProCode": Name("project_code", _text, ""),
    "SetModeCode": Name("set_mode_code", _text, ""),
    "PayeeAcctName": Name("payee_name", _text, ""),
    "PayeeAcctNo": Name("payee_account", _text, ""),
    "PayeeAcctBankName": Name("payee_bank", _text, ""),
    "PaySummaryName": Name("purpose", _text, ""),
    "PayAmt": Name("amount", _fen, "1234.56 (元, yuan)"),
}
