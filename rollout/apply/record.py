"""The site's record: signed, kept at home, copied to the site's ``s``, and read back."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from rollout.access import trust
from rollout.apply.remote import Remote, ask
from rollout.errors import VerificationError
from rollout.files import write
from rollout.paths import Home
from rollout.record import SiteRecord
from rollout.release.sign import Keyring

FOLDER = "/var/lib/rollout/records"


class Candidate(Home):
    """The home as it is, except that ``records`` is a folder of its own: a record before it counts."""

    def __init__(self, home: Home, folder: Path) -> None:
        super().__init__(home.root)
        self._records = folder

    @property
    def records(self) -> Path:
        """The record that the closing audit is held against."""
        self._records.mkdir(parents=True, exist_ok=True)
        return self._records


def save(home: Home, record: SiteRecord) -> None:
    """Signs and keeps a record in ``home``. A crash in between is mended by ``mend``."""
    content, signature = signed(home, record)
    file = home.records / f"{record.site}.json"
    waiting = file.with_suffix(".json.asc.next")
    write(waiting, signature, 0o644)
    write(file, content, 0o644)
    waiting.replace(file.with_suffix(".json.asc"))


def signed(home: Home, record: SiteRecord) -> tuple[bytes, bytes]:
    """The record's text and its signature by the report key."""
    keyring = Keyring(home, "report")
    keyring.ensure()
    content = (record.model_dump_json(indent=1) + "\n").encode()
    return content, keyring.sign_detached(content)


def mend(home: Home, site: str) -> str | None:
    """Finishes a save that was cut short; sets a record aside that does not hold. Says what it did."""
    file = home.records / f"{site}.json"
    waiting = file.with_suffix(".json.asc.next")
    if waiting.exists() and file.exists() and _holds(home, file, waiting):
        waiting.replace(file.with_suffix(".json.asc"))
        return f"{site}: the writing of its record was cut short and is finished"
    waiting.unlink(missing_ok=True)
    if file.exists() and not _holds(home, file, file.with_suffix(".json.asc")):
        aside = file.with_suffix(".json.refused")
        file.replace(aside)
        return f"{site}: its record does not carry this control node's signature and was set aside ({aside})"
    return None


def copy(home: Home, site: str, storage: Remote, folder: str = FOLDER) -> None:
    """Brings the record and its signature to the site's ``s``."""
    names = _names(site)
    files = {name: (home.records / name).read_text() for name in names}
    ask(storage, "keep", {"folder": folder, "files": files, "names": []})


def adopt(home: Home, site: str, storage: Remote, folder: str = FOLDER) -> SiteRecord | None:
    """Keeps the record that the site's ``s`` has, signature and all; None if it has none."""
    there = ask(storage, "keep", {"folder": folder, "files": {}, "names": _names(site)})
    if len(there) < len(_names(site)):
        return None
    found = parse(home, site, there)
    for name in reversed(_names(site)):
        write(home.records / name, there[name].encode(), 0o644)
    return found


def load_record(
    home: Home, site: str, storage: Remote | None = None, folder: str = FOLDER
) -> SiteRecord | None:
    """The site's record, its signature verified; None if there is none.

    Args:
        home: where the record and the public report key are.
        site: whose record.
        storage: the site's ``s``, asked if the record is not at home.
        folder: where it is on ``s``.
    """
    local = {name: home.records / name for name in _names(site)}
    if all(file.is_file() for file in local.values()):
        return parse(home, site, {name: file.read_text() for name, file in local.items()})
    if storage is None:
        return None
    there = ask(storage, "keep", {"folder": folder, "files": {}, "names": _names(site)})
    return parse(home, site, there) if len(there) == len(local) else None


def parse(home: Home, site: str, texts: Mapping[str, str]) -> SiteRecord:
    """A record from its texts; VerificationError if the signature or the content does not hold."""
    name, signature = _names(site)
    content = texts[name].encode()
    signer = trust.verify_record(home, site, content, texts[signature].encode(), name)
    try:
        record = SiteRecord.model_validate_json(content)
    except ValidationError as error:
        raise VerificationError(f"{name}: not a site's record: {error.errors()[0]['msg']}") from error
    if record.site != site:
        raise VerificationError(f"{name}: this is the record of {record.site}")
    trust.in_time(signer, record.applied_at, name)
    return record


def _holds(home: Home, file: Path, signature: Path) -> bool:
    with suppress(VerificationError, FileNotFoundError):
        trust.verify_record(home, file.stem, file.read_bytes(), signature.read_bytes(), file.name)
        return True
    return False


def _names(site: str) -> list[str]:
    return [f"{site}.json", f"{site}.json.asc"]
