"""Carries a dropped file to the REST socket: everything checked first, then pushed block by block."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jincai.language import Language
from jincai.socket.client import Answer, Client
from jincai.socket.drop import csv_file, xml_file
from jincai.socket.drop.convert import Converted, convert
from jincai.socket.drop.lines import FileRefusedError, Line, Mistakes, refused

BLOCK = 1000


@dataclass
class NotNowError(Exception):
    """The platform cannot take the file now: it stays, to be delivered again."""

    reason: str


@dataclass(frozen=True)
class Dropped:
    """A file as it was dropped: ``kind`` from its name, ``form`` ``csv`` or ``xml``."""

    kind: str
    form: str
    data: bytes

    def key(self, block: int) -> str:
        """The idempotency key of its ``block``: the file's SHA-256, later blocks' made from that."""
        digest = hashlib.sha256(self.data).hexdigest()
        return digest if block == 0 else hashlib.sha256(f"{digest}:{block}".encode()).hexdigest()


@dataclass(frozen=True)
class Delivered:
    """What became of it: one result for each line."""

    lines: Sequence[Line]
    results: Sequence[Mapping[str, Any]]


class Delivery:
    """Delivers files through ``client``; what is wrong is said in ``lang``."""

    def __init__(self, client: Client, lang: Language) -> None:
        self._client = client
        self._lang = lang
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def deliver(self, file: Dropped, *, checked: bool, now_checked: Callable[[], None]) -> Delivered:
        """Check every line, call ``now_checked``, push; with ``checked`` that was done before.

        Raises:
            FileRefusedError: names everything that is wrong; nothing was done.
            NotNowError, UnreachableError: to be tried again; the keys settle what was done already.
        """
        schema = self._schema(file.kind)
        reader = xml_file if file.form == "xml" else csv_file
        converted = convert(reader.read(file.data, self._lang), schema, self._lang)
        if not checked:
            self._check(file, converted)
            now_checked()
        results: list[Mapping[str, Any]] = []
        refusals: list[FileRefusedError] = []
        for block, start in _blocks(converted):
            try:
                results += self._push(file, converted, block, start)
            except FileRefusedError as error:
                refusals.append(error)
                results += _refused_block(converted, start, error)
        if len(refusals) * BLOCK >= len(converted.lines):  # no block was taken
            raise FileRefusedError([one for error in refusals for one in error.mistakes])
        return Delivered(converted.lines, results)

    def _schema(self, kind: str) -> Mapping[str, Any]:
        if not self._schemas:
            answer = self._client.get("/kinds")
            if answer.status != 200:
                raise NotNowError(answer.detail)
            offered = [one for one in answer.json["kinds"] if one["push"]]
            self._schemas = {one["kind"]: one["push"]["schema"] for one in offered}
        if kind not in self._schemas:
            known = ", ".join(f"{one}-….csv" for one in self._schemas)
            name = "文件名" if self._lang == "zh" else "file name"
            raise refused(0, name, kind, known)
        return self._schemas[kind]

    def _check(self, file: Dropped, converted: Converted) -> None:
        mistakes = Mistakes()
        for block, start in _blocks(converted):
            answer = self._post(file, converted, block, start, check=True)
            if answer.status != 200:
                self._note(answer, converted, start, mistakes)
        mistakes.refuse_if_any(self._lang)

    def _push(
        self, file: Dropped, converted: Converted, block: int, start: int
    ) -> Sequence[Mapping[str, Any]]:
        answer = self._post(file, converted, block, start, check=False)
        if answer.status == 200:
            results: list[Mapping[str, Any]] = answer.json["results"]
            return results
        mistakes = Mistakes()
        self._note(answer, converted, start, mistakes)
        raise FileRefusedError(mistakes.found)

    def _post(self, file: Dropped, converted: Converted, block: int, start: int, *, check: bool) -> Answer:
        answer = self._client.post(
            "/documents",
            {
                "kind": file.kind,
                "fiscal_year": converted.fiscal_year,
                "division": converted.division,
                "idempotency_key": file.key(block),
                "documents": converted.documents[start : start + BLOCK],
            },
            {"check": "true"} if check else None,
        )
        # A key that is not good is the administrator's matter, not the file's.
        if answer.status in {401, 429} or answer.status >= 500:
            raise NotNowError(answer.detail)
        return answer

    @staticmethod
    def _note(answer: Answer, converted: Converted, start: int, mistakes: Mistakes) -> None:
        """What the platform says of a block, in the file's own lines and names."""
        errors = (answer.json or {}).get("errors", ())
        for error in errors:
            found = re.fullmatch(r"documents\.([0-9]{1,4})(?:\.([^.]*).*)?", error["field"])
            if not found:
                mistakes.add(None, error["field"], "", error["message"])
                continue
            line = converted.lines[start + int(found[1])]
            name = converted.called.get(found[2] or "", found[2] or "")
            mistakes.add(line, name, line.texts.get(name, ""), error["message"])
        if not errors:
            mistakes.add(None, "", "", answer.detail)


def _blocks(converted: Converted) -> Iterator[tuple[int, int]]:
    return enumerate(range(0, len(converted.documents), BLOCK))


def _refused_block(converted: Converted, start: int, error: FileRefusedError) -> list[Mapping[str, Any]]:
    """Lines of a block that was right when it was checked and was refused when it was pushed."""
    said = {one.place: one.expected for one in error.mistakes}
    usual = error.mistakes[0].expected
    return [
        {"outcome": "refused", "reason": said.get(line.place, usual)}
        for line in converted.lines[start : start + BLOCK]
    ]
