"""控制数: the second submission stays within the control figures of each fund type."""

from collections import Counter
from collections.abc import Sequence

from jincai_budget.line import Line
from jincai_budget.refusals import RefusalError, yuan


def refuse_above(control: Sequence[Line], second: Sequence[Line]) -> None:
    """Refuse a submission above the control figures of a fund type; moving within it is free.

    Raises:
        RefusalError: 422, names the fund type, by how much, and the lines above their own figure.
    """
    allowed, asked = _totals(control), _totals(second)
    above = [fund for fund in sorted(asked) if asked[fund] > allowed[fund]]
    if not above:
        return
    figures = {line.key: line.amount for line in control}
    chinese, english = [], []
    for fund in above:
        over = asked[fund] - allowed[fund]
        chinese.append(
            f"资金性质 {fund} 申报 {yuan(asked[fund])} 元,控制数 {yuan(allowed[fund])} 元,"
            f"超出 {yuan(over)} 元"
        )
        english.append(
            f"fund type {fund}: {yuan(asked[fund])} yuan asked, {yuan(allowed[fund])} allowed, "
            f"{yuan(over)} above"
        )
        for number, line in enumerate(second, 1):
            figure = figures.get(line.key, 0)
            if line.fund_type_code == fund and line.amount > figure:
                chinese.append(f"第 {number} 行“{line.summary}”高于其控制数 {yuan(line.amount - figure)} 元")
                english.append(
                    f"line {number} “{line.summary}” is {yuan(line.amount - figure)} yuan above its own"
                )
    raise RefusalError(
        422,
        "二上申报超过控制数,请调减后再申报:" + ";".join(chinese) + "。",
        "Above the control figures; reduce it and submit again: " + "; ".join(english) + ".",
    )


def _totals(lines: Sequence[Line]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for line in lines:
        totals[line.fund_type_code] += line.amount
    return totals
