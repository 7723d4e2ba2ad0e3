"""Random expressions of the rule language, each with what Python says of it: an oracle for PostgreSQL."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Record = Mapping[str, Any]
# The judged record, the earlier ones, and in a window's condition the earlier one that bare fields speak of.
Answer = Callable[[Record, Sequence[Record], Record], Any]
TEXTS = st.sampled_from(["", "a", "ab", "示例", "示例公司", "礼品", "'", "%", "\\", "111"])
AMOUNTS = st.sampled_from([0, 1, 2, 99, 10_000, 50_000, 10**15])
DATES = st.dates(dt.date(2015, 12, 25), dt.date(2016, 3, 10))
CAP = 50_000
FIELDS = ("purpose", "payee_name", "payee_bank")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Written:
    """An expression's text, and what it is of a record; None if it has no answer."""

    text: str
    answer: Answer


def quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def records() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            **dict.fromkeys(FIELDS, TEXTS),
            "amount": AMOUNTS,
            "pay_date": DATES,
        }
    )


def _field(name: str) -> Written:
    return Written(name, lambda _p, _e, at: at[name])


def _this(name: str) -> Written:
    return Written(f"this.{name}", lambda p, _e, _at: p[name])


def _constant(value: object, text: str) -> Written:
    return Written(text, lambda _p, _e, _at: value)


def _of_two(operator: str, of: Callable[[Any, Any], Any]) -> Callable[[tuple[Written, Written]], Written]:
    def written(two: tuple[Written, Written]) -> Written:
        left, right = two

        def answer(*at: Any) -> Any:
            a, b = left.answer(*at), right.answer(*at)
            return None if a is None or b is None else of(a, b)

        return Written(f"({left.text} {operator} {right.text})", answer)

    return written


def _divided(a: int, b: int) -> int | None:
    return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) is (b < 0) else -1)


def _called(name: str, of: Callable[..., Any], *arguments: Written) -> Written:
    def answer(*at: Any) -> Any:
        given = [one.answer(*at) for one in arguments]
        return None if None in given else of(*given)

    return Written(f"{name}({', '.join(one.text for one in arguments)})", answer)


def _text(*, inside: bool) -> st.SearchStrategy[Written]:
    found = TEXTS.map(lambda word: _constant(word, quoted(word))) | st.sampled_from(FIELDS).map(_field)
    return found | st.sampled_from(FIELDS).map(_this) if inside else found


def _date(*, inside: bool) -> st.SearchStrategy[Written]:
    found = DATES.map(lambda day: _constant(day, f"DATE '{day}'")) | st.just(_field("pay_date"))
    return found | st.just(_this("pay_date")) if inside else found


_NUMBER = st.sampled_from([0, 1, 2, 3, 99, 10**15]).map(lambda n: _constant(n, str(n)))


def _integer(*, inside: bool) -> st.SearchStrategy[Written]:
    parts: dict[str, Callable[[dt.date], int]] = {
        "year": lambda day: day.year,
        "month": lambda day: day.month,
        "day": lambda day: day.day,
        "weekday": dt.date.isoweekday,
    }
    dated = st.tuples(st.sampled_from(list(parts)), _date(inside=inside))
    found = (
        _NUMBER
        | _text(inside=inside).map(lambda one: _called("length", len, one))
        | dated.map(lambda two: _called(two[0], parts[two[0]], two[1]))
    )
    return found if inside else found | _window()


def _fen(*, inside: bool) -> st.SearchStrategy[Written]:
    leaf = st.just(_field("amount")) | st.just(_constant(CAP, "cap")) | _NUMBER
    if inside:
        leaf |= st.just(_this("amount"))
    else:
        leaf |= _window("past_sum") | _window("past_max")
    sums = st.tuples(leaf, leaf)
    return (
        leaf
        | sums.map(_of_two("+", lambda a, b: a + b))
        | sums.map(_of_two("-", lambda a, b: a - b))
        | st.tuples(leaf, _NUMBER).map(_of_two("*", lambda a, b: a * b))
        | st.tuples(leaf, _NUMBER).map(_of_two("/", _divided))
        | st.just(_field("amount")).map(lambda one: Written("(- amount)", lambda *at: -one.answer(*at)))
    )


def _truth(answer: object) -> bool:
    return answer is True


def _compared(of: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    two = st.tuples(of, of)
    found = st.sampled_from(list(OPERATORS)).flatmap(lambda sign: two.map(_of_two(sign, OPERATORS[sign])))
    return found.map(lambda one: Written(one.text, lambda *at: _truth(one.answer(*at))))


def _leaf(*, inside: bool) -> st.SearchStrategy[Written]:
    text = _text(inside=inside)
    tests: dict[str, Callable[[str, str], bool]] = {
        "contains": lambda whole, word: word in whole,
        "starts_with": str.startswith,
        "ends_with": str.endswith,
    }
    return (
        _compared(text)
        | _compared(_date(inside=inside))
        | _compared(_integer(inside=inside))
        | _compared(_fen(inside=inside))
        | st.tuples(st.sampled_from(list(tests)), text, text).map(
            lambda three: _called(three[0], tests[three[0]], three[1], three[2])
        )
        | text.map(lambda one: _called("is_digits", lambda word: word.isdigit(), one))
        | text.map(lambda one: _called("one_character", lambda word: len(set(word)) == 1, one))
        | text.map(lambda one: _called("has_chinese", lambda word: any(sign >= "一" for sign in word), one))
        | st.tuples(text, st.lists(TEXTS, min_size=1, max_size=3)).map(
            lambda two: Written(
                f"({two[0].text} IN ({', '.join(map(quoted, two[1]))}))",
                lambda *at: two[0].answer(*at) in two[1],
            )
        )
    )


def condition(*, inside: bool = False) -> st.SearchStrategy[Written]:
    """Something true or false."""

    def grown(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
        some = st.lists(inner, min_size=2, max_size=3)
        return (
            some.map(lambda all_of: _joined("AND", all, all_of))
            | some.map(lambda any_of: _joined("OR", any, any_of))
            | inner.map(lambda one: Written(f"(NOT {one.text})", lambda *at: not one.answer(*at)))
        )

    return st.recursive(_leaf(inside=inside), grown, max_leaves=2 if inside else 5)


def _joined(word: str, of: Callable[..., bool], terms: list[Written]) -> Written:
    return Written(
        f"({f' {word} '.join(one.text for one in terms)})", lambda *at: of([one.answer(*at) for one in terms])
    )


def _window(measure: str = "past_count") -> st.SearchStrategy[Written]:
    spans: dict[str, Callable[[dt.date, dt.date], bool]] = {
        "days(3)": lambda a, b: abs((a - b).days) < 3,
        "this_day()": lambda a, b: a == b,
        "this_month()": lambda a, b: (a.year, a.month) == (b.year, b.month),
        "this_year()": lambda a, b: a.year == b.year,
    }
    keys = st.sampled_from([(), ("purpose",), ("purpose", "amount")])
    condition_of = st.none() | condition(inside=True)
    return st.tuples(st.sampled_from(list(spans)), keys, condition_of).map(
        lambda three: _looking_back(measure, three[0], spans[three[0]], three[1], three[2])
    )


def _looking_back(
    measure: str,
    span: str,
    within: Callable[[dt.date, dt.date], bool],
    keys: tuple[str, ...],
    wanted: Written | None,
) -> Written:
    def answer(p: Record, earlier: Sequence[Record], _at: Record) -> int:
        found = [
            one
            for one in earlier
            if within(one["pay_date"], p["pay_date"])
            and all(one[key] == p[key] for key in keys)
            and (wanted is None or wanted.answer(p, earlier, one))
        ]
        if measure == "past_count":
            return len(found)
        amounts = [int(one["amount"]) for one in found]
        return sum(amounts) if measure == "past_sum" else max(amounts, default=0)

    arguments = [
        *([] if measure == "past_count" else ["amount"]),
        span,
        *([f"same({', '.join(keys)})"] if keys else []),
        *([wanted.text] if wanted else []),
    ]
    return Written(f"{measure}({', '.join(arguments)})", answer)
