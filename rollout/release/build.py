"""``rollout release build``: from a spec to a signed folder of the depot, all at once or not at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import depot, layout, ledger
from rollout.release.contents import Progress, Sources, collect
from rollout.release.draft import Draft, draft
from rollout.release.manifest import NAME, SIGNATURE, Manifest
from rollout.release.sign import Keyring
from rollout.release.store import Store


@dataclass(frozen=True)
class Built:
    """What a build came to."""

    manifest: Manifest
    folder: Path
    unchanged: bool


def build(home: Home, sources: Sources, progress: Progress, serial: int | None = None) -> Built:
    """Builds ``sources`` under the next serial, unless the newest build of the release is the same."""
    with ledger.lock(home):
        for left in home.cache.glob("incoming-*"):  # by a build that was killed
            shutil.rmtree(left)
        keyring = Keyring(home, "release")
        keyring.ensure()
        debs, python = collect(sources, home.cache, progress)
        progress.step("sign")
        return assemble(home, draft(sources.spec, debs, python, keyring), keyring, serial)


def assemble(home: Home, drafted: Draft, keyring: Keyring, serial: int | None = None) -> Built:
    """Numbers, signs and publishes a draft whose packages and wheels are in the store; the lock is held."""
    manifest, known = _number(ledger.Ledger(home), drafted.manifest, serial)
    folder = home.depot / manifest.build
    if known and folder.is_dir():
        return Built(manifest, folder, unchanged=True)
    _publish(home, manifest, drafted.texts, keyring)
    return Built(manifest, folder, unchanged=False)


def _number(book: ledger.Ledger, drafted: Manifest, serial: int | None) -> tuple[Manifest, bool]:
    """The manifest with its serial, and whether exactly this was signed before."""
    if serial is None:
        newest = book.newest(drafted.release)
        if newest and not ledger.differences(newest, drafted):
            return newest, True
        return drafted.model_copy(update={"serial": book.highest() + 1}), False
    wanted = drafted.model_copy(update={"serial": serial})
    signed = book.with_serial(serial)
    if signed is None:
        if serial <= book.highest():
            raise ConfigurationError(
                f"serial {serial} is below the highest signed serial {book.highest()}",
                "A serial only grows; leave --serial away to get the next one.",
            )
        return wanted, False
    different = ledger.differences(signed, wanted)
    if signed.release != wanted.release:
        different.insert(0, f"release: {signed.release} → {wanted.release}")
    if different:
        raise VerificationError(
            f"serial {serial} was signed as {signed.build} with other content:\n  " + "\n  ".join(different),
            "A serial has one content forever; leave --serial away to get the next one.",
        )
    return signed, True


def _publish(home: Home, manifest: Manifest, texts: dict[str, bytes], keyring: Keyring) -> None:
    """Fills a hidden folder, signs it and gives it its name."""
    store = Store(home.cache)
    content = manifest.text().encode()
    signature = keyring.sign_detached(content, keyring.created())
    with depot.folder_to_fill(home) as folder:
        for component in (manifest.debs, manifest.wheels):
            for entry in component:
                store.place(entry.sha256, folder / entry.file)
        for path, text in {**texts, NAME: content, SIGNATURE: signature}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
            file.chmod(0o755 if path == layout.INSTALLER else 0o644)
        depot.publish(home, manifest, folder)
