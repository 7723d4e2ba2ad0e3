"""YAML as rule files use it: texts, integers, dates, true and false, lists and mappings; each with its line.

No tags, no anchors, no merging, no second document: nothing in a file can make an object or grow without end.
What looks like anything else is a text, so that ``010000`` or ``yes`` mean what they show.
"""

import datetime as dt
import re
from dataclasses import dataclass, field

import yaml

BYTES_MOST = 64 * 1024
DEPTH_MOST = 16
Path = tuple[str | int, ...]
Plain = str | int | bool | dt.date | list["Plain"] | dict[str, "Plain"]
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,24})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Unreadable(Exception):  # noqa: N818 - becomes a RuleFileError, with the file's name
    """The text is not such YAML; ``problems`` are lines and sentences."""

    def __init__(self, *problems: tuple[int, str]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(slots=True)
class Document:
    """What a file holds, and at which line each part of it begins."""

    value: Plain = ""
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> Document:
    """The document in ``text``.

    Raises:
        Unreadable: it is no YAML, or more than rule files use.
    """
    if len(text.encode(errors="replace")) > BYTES_MOST:
        raise Unreadable((1, f"the file is larger than {BYTES_MOST // 1024} KiB"))
    try:
        _look_at_events(text)
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark: yaml.Mark | None = error.problem_mark or error.context_mark
        raise Unreadable(
            (mark.line + 1 if mark else 1, f"no YAML: {error.problem or error.context}")
        ) from error
    except yaml.YAMLError as error:
        raise Unreadable((1, f"no YAML: {error}")) from error
    document, problems = Document(), list[tuple[int, str]]()
    if node is None:
        raise Unreadable((1, "the file is empty"))
    document.value = _value(node, (), document, problems)
    if problems:
        raise Unreadable(*problems)
    return document


def _look_at_events(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(
                (line, "anchors (&) and aliases (*) are not used here: write it out, or in quotes")
            )
        # A plain scalar has no tag of its own; a quoted one has "!" only if somebody wrote it.
        if getattr(event, "tag", None) is not None:
            raise Unreadable((line, "tags (!) are not used here: write the text in quotes"))
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MOST:
            raise Unreadable((line, f"nested more than {DEPTH_MOST} deep"))
        if documents > 1:
            raise Unreadable((line, "a second document: one file holds one rule"))


def _value(node: yaml.Node, path: Path, document: Document, problems: list[tuple[int, str]]) -> Plain:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, place), document, problems) for place, one in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, problems)
    found: dict[str, Plain] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not key.value:
            problems.append((line, "a key is a word"))
            continue
        if key.value in found:
            problems.append(
                (line, f"{key.value} stands twice, first in line {document.line((*path, key.value))}")
            )
            continue
        document.lines[*path, key.value] = line
        found[key.value] = _value(value, (*path, key.value), document, problems)
    return found


def _scalar(node: yaml.ScalarNode, problems: list[tuple[int, str]]) -> Plain:
    text = str(node.value)
    if node.style is not None:
        return text
    if text in {"true", "false"}:
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DATE.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            problems.append((node.start_mark.line + 1, f"{text} is no date"))
    return text
