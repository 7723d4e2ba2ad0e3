"""The migration files of a dist: `NNNN_expand|contract_name.sql`, numbered from 0001 without gaps."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from jincai.errors import MigrationError

_NAME = re.compile(r"^(\d{4})_(expand|contract)_[a-z0-9_]+\.sql$")


@dataclass(frozen=True)
class Migration:
    """One file: ``name`` without its ending, ``sha256`` over its bytes."""

    dist: str
    number: int
    name: str
    sha256: str
    sql: str

    @property
    def contracts(self) -> bool:
        """Whether it takes something away that older code still needs."""
        return self.name[5:].startswith("contract_")


def read(dist: str, folder: Path) -> tuple[Migration, ...]:
    """The migrations of ``dist`` in ``folder``, by number; other kinds of file do not count.

    Raises:
        MigrationError: names the file that is misnamed, doubled, not UTF-8, or follows a gap.
    """
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise MigrationError(f"{dist}: no migrations in {folder}", "Reinstall the dist.")
    found = tuple(_read_one(dist, path) for path in paths)
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationError(
                f"{dist}: {migration.name}.sql stands where number {expected:04d} is due",
                "Number the files from 0001 without gaps or doubles.",
            )
    return found


def _read_one(dist: str, path: Path) -> Migration:
    named = _NAME.match(path.name)
    if not named:
        raise MigrationError(f"{dist}: {path.name} is not named NNNN_expand|contract_name.sql")
    content = path.read_bytes()
    try:
        sql = content.decode()
    except UnicodeDecodeError as error:
        raise MigrationError(f"{dist}: {path.name} is not UTF-8 at byte {error.start}") from None
    digest = hashlib.sha256(content).hexdigest()
    return Migration(dist=dist, number=int(named[1]), name=path.stem, sha256=digest, sql=sql)
