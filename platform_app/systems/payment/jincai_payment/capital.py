"""大写金额: an amount in the words that vouchers carry, as 支付结算办法 (annex 1) has bills filled in."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
# A thousand times more than any budget; beyond it the words would need another unit.
MOST = 10**18


def capital(fen: int) -> str:
    """``fen`` in words: 1230000 → 壹万贰仟叁佰元整, 1640902 → 壹万陆仟肆佰零玖元零贰分.

    Raises:
        ValueError: as much as or more than 10^18 fen.
    """
    if abs(fen) >= MOST:
        raise ValueError(f"{fen} fen are beyond words")
    yuan, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    said = f"{_whole(yuan)}元" if yuan or not rest else ""
    if jiao:
        # A zero at the end of the yuan need not be said before jiao, but must be before fen.
        said += f"{_DIGITS[jiao]}角"
    elif cents and yuan:
        said += "零"
    said += f"{_DIGITS[cents]}分" if cents else "整"
    return ("负" if fen < 0 else "") + said


def _whole(number: int) -> str:
    """A whole number below 10^16."""
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return f"{_whole(high)}{unit}{gap}{_whole(low) if low else ''}"
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    said, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return said or _DIGITS[0]
