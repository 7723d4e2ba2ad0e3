"""What a dropped file says, before anybody knows what it means: lines of named texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jincai.language import Language

FILE_BYTES_MOST = 10_000_000
LINES_MOST = 100_000
# A wrong file is told about in a file that can still be read.
MISTAKES_MOST = 10_000
_FOUND_MOST = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One document: the ``number`` of the line it begins on, its ``place`` from 1, its named texts."""

    number: int
    place: int
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong: ``line``, ``place`` 0 if it is the file as a whole, ``field`` as the file names it."""

    line: int
    place: int
    field: str
    found: str
    expected: str


@dataclass
class FileRefusedError(Exception):
    """The file is wrong; nothing of it was done."""

    mistakes: Sequence[Mistake]


@dataclass
class Mistakes:
    """Collects mistakes, `MISTAKES_MOST` at most."""

    found: list[Mistake] = field(default_factory=list)
    more: int = 0

    def add(self, line: Line | None, name: str, found: str, expected: str) -> None:
        """One more; ``line`` None: the file as a whole."""
        if len(self.found) >= MISTAKES_MOST:
            self.more += 1
            return
        number, place = (line.number, line.place) if line else (0, 0)
        self.found.append(Mistake(number, place, name, found[:_FOUND_MOST], expected))

    def refuse_if_any(self, lang: Language) -> None:
        """Raise `FileRefusedError` with what was collected, if anything was."""
        if self.more:
            text = (
                f"另有 {self.more} 处错误未列出"
                if lang == "zh"
                else f"{self.more} more mistakes are not listed"
            )
            self.found.append(Mistake(0, 0, "", "", text))
        if self.found:
            raise FileRefusedError(self.found)


def refused(line: int, name: str, found: str, expected: str) -> FileRefusedError:
    """One mistake at ``line`` that makes the rest of the file unreadable."""
    return FileRefusedError([Mistake(line, 0, name, found[:_FOUND_MOST], expected)])


def text_of(data: bytes, lang: Language) -> str:
    """The file's text.

    Raises:
        FileRefusedError: it is no UTF-8, or holds a NUL; names the line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused(line, "", data[error.start : error.start + 4].hex(" "), "UTF-8") from None
    if (place := text.find("\0")) >= 0:
        expected = "不含空字符 (NUL) 的文本" if lang == "zh" else "text without NUL"
        raise refused(text.count("\n", 0, place) + 1, "", "00", expected)
    return text


def too_many(lang: Language) -> str:
    """What to say of a file with more than `LINES_MOST` documents."""
    return f"最多 {LINES_MOST} 行,请分成多个文件" if lang == "zh" else f"{LINES_MOST} lines at most; split it"
