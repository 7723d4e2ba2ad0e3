"""What `jincai check-socket` is given, and what it shows."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from jincai.errors import ConfigurationError
from jincai.socket.client import Client
from jincai.socket.conformance import kit
from jincai.socket.conformance.subject import Subject, Verdict
from jincai.socket.kinds import Kinds

SECONDS = 20.0


@dataclass(frozen=True)
class Asked:
    """One run: the system at ``url``, by ``key``; books and example as given, ``wanted`` empty: all."""

    url: str
    key: str
    ca: Path | None
    wanted: frozenset[str]
    fiscal_year: int | None
    division: str | None
    example: Path | None
    read_only: bool

    def run(self, *, as_json: bool) -> bool:
        """Ask everything and show it; whether all of it passed.

        Raises:
            ConfigurationError: something that is needed is not given.
            UnreachableError: the system does not answer at all.
        """
        client = Client(self.url, self.key, seconds=SECONDS, ca=self.ca, clear=True, lang="en")
        stranger = Client(self.url, None, seconds=SECONDS, ca=self.ca, clear=True, lang="en")
        first = client.get("/kinds")
        examples = self._examples(first.json)
        books = [(one.get("fiscal_year"), one.get("division")) for one in examples.values()]
        fiscal_year, division = books[0] if books else (None, None)
        fiscal_year, division = self.fiscal_year or fiscal_year, self.division or division
        if not fiscal_year or not division:
            raise ConfigurationError("whose books?", "Give --fiscal-year and --division, or --example.")
        subject = Subject(client, stranger, fiscal_year, division, examples, slowest=first.seconds)
        verdicts: list[Verdict] = []
        for verdict in kit.run(subject, first, self.wanted, read_only=self.read_only):
            verdicts.append(verdict)
            if not as_json:
                _show(verdict)
        passed = all(one.passed for one in verdicts)
        if as_json:
            said = {"url": self.url, "passed": passed, "checks": [asdict(one) for one in verdicts]}
            typer.echo(json.dumps(said, ensure_ascii=False))
        else:
            failed = sum(not one.passed for one in verdicts)
            typer.echo(
                f"{len(verdicts)} checks, {failed} failed" if failed else f"{len(verdicts)} checks passed"
            )
        return passed

    def _examples(self, answered: object) -> dict[str, Mapping[str, Any]]:
        given = _read(self.example) if self.example else {}
        try:
            kinds = Kinds.model_validate(answered).kinds
        except ValidationError:  # the first check says so
            return given
        found = {one.kind: kit.example_of(one, given) for one in kinds}
        return {kind: one for kind, one in found.items() if one is not None}


def _read(path: Path) -> dict[str, Mapping[str, Any]]:
    way_out = 'Write {"payment_order": {"fiscal_year": 2010, "division": "450100", …}}.'
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}", way_out) from None
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise ConfigurationError(f"{path} holds no documents by kind", way_out)
    for kind, one in given.items():
        if not isinstance(one.get("fiscal_year"), int) or not isinstance(one.get("division"), str):
            raise ConfigurationError(f"{path}: {kind} has no fiscal_year or division", way_out)
    return given


def _show(verdict: Verdict) -> None:
    name = f"{verdict.kind}: {verdict.check}" if verdict.kind else verdict.check
    typer.echo(f"{'pass' if verdict.passed else 'FAIL'}  {name}: {verdict.says}")
