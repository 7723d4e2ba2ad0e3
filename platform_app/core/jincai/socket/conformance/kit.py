"""Runs every check and collects what each says; one that fails stops no other."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from jincai.errors import ConfigurationError
from jincai.socket.client import Answer, UnreachableError
from jincai.socket.conformance import general, pulling, pushing
from jincai.socket.conformance.subject import DiffersError, Subject, Verdict, accepted
from jincai.socket.kinds import Kind, Kinds

PULLING: tuple[Callable[[Subject, Kind], str], ...] = (
    pulling.offers_a_schema,
    pulling.fits_its_schema,
    pulling.keeps_to_the_books,
    pulling.counts_in_whole_fen,
    pulling.pages_stably,
    pulling.bounds_its_pages,
)
PUSHING: tuple[Callable[[Subject, Kind], str], ...] = (
    pushing.checks_without_doing,
    pushing.answers_again_the_same,
    pushing.keeps_a_key_for_one_content,
    pushing.refuses_unknown_fields,
    pushing.refuses_what_is_missing,
    pushing.refuses_negative_amounts,
    pushing.refuses_parts_of_a_fen,
    pushing.refuses_another_year,
    pushing.bounds_its_pushes,
)


def run(subject: Subject, first: Answer, wanted: frozenset[str], *, read_only: bool) -> Iterator[Verdict]:
    """A verdict for each check, as it is made; ``first`` is what ``/kinds`` answered, ``wanted`` empty: all.

    Raises:
        ConfigurationError: a kind that is ``wanted`` is not offered.
    """
    offered: list[Kind] = []

    def speaks_kinds() -> str:
        offered.extend(_kinds(first))
        return ", ".join(one.kind for one in offered)

    yield _verdict("speaks_kinds", "", speaks_kinds)
    if offered and (missing := wanted - {one.kind for one in offered}):
        raise ConfigurationError(f"kinds not offered: {', '.join(sorted(missing))}", "See /kinds.")
    kinds = [one for one in offered if not wanted or one.kind in wanted]
    yield from _general(subject, next((one for one in kinds if one.pull), None), read_only=read_only)
    for kind in kinds:
        if kind.push and not read_only:
            yield from _pushing(subject, kind)
    for kind in kinds:
        if kind.pull:
            for check in PULLING:
                yield _verdict(check.__name__, kind.kind, partial(check, subject, kind))
    yield _verdict("answers_in_time", "", partial(general.answers_in_time, subject))


def example_of(kind: Kind, given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """A document of ``kind`` that may be pushed: the one ``given``, else the schema's own example."""
    if kind.kind in given:
        return given[kind.kind]
    own = kind.push.schema_.get("examples") if kind.push else None
    return own[0] if isinstance(own, list) and own and isinstance(own[0], dict) else None


def _kinds(answer: Answer) -> list[Kind]:
    try:
        return Kinds.model_validate(accepted(answer)).kinds
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(one) for one in wrong["loc"])
        raise DiffersError(f"{place}: {wrong['msg']}") from None


def _general(subject: Subject, pulled: Kind | None, *, read_only: bool) -> Iterator[Verdict]:
    checks = [general.asks_for_a_key, general.knows_its_kinds]
    if not read_only:
        checks += [general.refuses_broken_json, general.refuses_long_bodies]
    for check in checks:
        yield _verdict(check.__name__, "", partial(check, subject))
    if pulled:
        name = general.refuses_unknown_parameters.__name__
        yield _verdict(name, "", partial(general.refuses_unknown_parameters, subject, pulled))


def _pushing(subject: Subject, kind: Kind) -> Iterator[Verdict]:
    if kind.kind not in subject.examples:
        says = "nothing can be pushed: give --example, or an example in the schema"
        yield Verdict("has_an_example", kind.kind, passed=False, says=says)
        return
    for check in PUSHING:
        yield _verdict(check.__name__, kind.kind, partial(check, subject, kind))


def _verdict(check: str, kind: str, asked: Callable[[], str]) -> Verdict:
    try:
        return Verdict(check, kind, passed=True, says=asked())
    except (DiffersError, UnreachableError) as error:
        return Verdict(check, kind, passed=False, says=str(error).replace("\n ", ";"))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Whatever shape its answer has, it is the system's that was not expected.
        return Verdict(check, kind, passed=False, says=f"an answer of another shape: {error!r:.200}")
