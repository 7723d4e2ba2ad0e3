"""What is wrong with a rule's text, if anything: its form, its number, its expressions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jincai.monitoring import examples, language, rule_file, yaml_lines
from jincai.monitoring.language import Compiled, RuleError
from jincai.monitoring.rule import Rule
from jincai.monitoring.rule_file import RuleFileError
from jincai.monitoring.store.versions import RULES_MOST
from jincai.monitoring.vocabulary import Subject, Vocabulary
from jincai.system import System

Vocabularies = Mapping[Subject, Vocabulary]


@dataclass(frozen=True)
class Mistake:
    """One mistake; ``line`` counts from 1, 0 where it is of the whole rule."""

    line: int
    zh: str
    en: str


@dataclass(frozen=True)
class Checked:
    """What a text says, as far as it can be understood, and what keeps it from being published."""

    rule: Rule | None = None
    compiled: Compiled | None = None
    mistakes: tuple[Mistake, ...] = ()


def vocabularies(systems: Iterable[System]) -> Vocabularies:
    """What rules may speak of here: subject → its vocabulary, of every system that is plugged in."""
    return {one.subject: one for system in systems for one in system.monitored}


@lru_cache(maxsize=RULES_MOST)
def understood(source: str, name: str) -> Rule:
    """The rule that ``source`` declares, remembered: versions never change, and lists show them all.

    Raises:
        RuleFileError: with ``name``, the line and what was expected.
    """
    return rule_file.load(source, name)


def rule_of(source: str, rule: str) -> Rule | None:
    """The rule that ``source`` declares, or None for a draft that is not right yet."""
    try:
        return understood(source, f"{rule}.yml")
    except RuleFileError:
        return None


def check(source: str, rule: str, known: Vocabularies) -> Checked:
    """What ``source`` says, checked as the text of ``rule``. Takes milliseconds: run it in a thread."""
    try:
        found = understood(source, f"{rule}.yml")
    except RuleFileError as error:
        return Checked(mistakes=tuple(_in_file(one) for one in error.problems))
    if found.id != rule:
        zh = f"文件中的编号是{found.id},应为{rule}。另编一条规则请新建草案。"
        en = f"The file says id: {found.id}, expected {rule}. For another rule begin another draft."
        return Checked(found, None, (Mistake(1, zh, en),))
    vocabulary = known.get(found.subject)
    if vocabulary is None:
        zh = f"没有系统提供监控对象“{found.subject}”,可用:{', '.join(sorted(known)) or '无'}。"
        en = f"No system here has records of subject {found.subject}; there are: {', '.join(sorted(known))}."
        return Checked(found, None, (Mistake(yaml_lines.read(source).line(("subject",)), zh, en),))
    try:
        compiled = language.compiled(found, vocabulary)
        # What examples name is checked before anything is run.
        examples.statement(found, vocabulary)
    except RuleError as error:
        return Checked(found, None, _in_meaning(source, error))
    return Checked(found, compiled)


def _in_file(problem: str) -> Mistake:
    """Of ``file:line: what``."""
    number, _, what = problem.partition(":")[2].partition(": ")
    if not number.isdecimal():
        return Mistake(0, f"文件有误:{problem}", problem)
    return Mistake(int(number), f"文件有误:{what}", what)


def _in_meaning(source: str, error: RuleError) -> tuple[Mistake, ...]:
    document = yaml_lines.read(source)
    paths = ((one, _path(one)) for one in error.problems)
    # A sentence about the whole rule begins with no part of it.
    lines = ((one, document.line(path) if path[:1] in document.lines else 0) for one, path in paths)
    return tuple(Mistake(line, f"规则有误:{one}", one) for one, line in lines)


def _path(problem: str) -> tuple[str | int, ...]:
    """Where ``problem`` is: it begins with ``when: …``, ``exempt 2: …``, ``examples.fires 1: record: …``."""
    first, *more = problem.split(": ")
    names, _, number = first.partition(" ")
    place = [int(number) - 1] if number.isdecimal() else []
    return (*names.split("."), *place, *more)
