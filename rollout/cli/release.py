"""``rollout release``: build, verify, show, export and import releases."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from rollout.access import scope
from rollout.errors import RolloutError
from rollout.paths import Home, content
from rollout.release import bundle, overrides
from rollout.release.build import build as build_release
from rollout.release.contents import Sources
from rollout.release.sign import fingerprint_of
from rollout.release.spec import find_spec, load_spec
from rollout.release.summary import summary
from rollout.release.verify import find_build, public_key, signed_manifest, verify_build

app = typer.Typer(no_args_is_help=True, help="Releases: build, verify, show, export, import.")
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

Release = Annotated[str, typer.Argument(help="2026.1 for its newest build, 2026.1-3 for one build.")]
File = Annotated[Path, typer.Argument(help="The bundle, one file.")]


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="release")


class _Shown:
    """A progress display: one line per step, with bytes where they are known."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=None)

    def step(self, text: str) -> None:
        self._display.update(self._task, description=text, total=None, completed=0)

    def bytes(self, done: int, total: int) -> None:
        self._display.update(self._task, completed=done, total=total)


@contextmanager
def _progress() -> Iterator[_Shown]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as display:
        yield _Shown(display)


@app.command()
def build(
    release: Annotated[str, typer.Argument(help="2026.1, or the path of a release's .yml file.")],
    serial: Annotated[int | None, typer.Option(min=1, help="Exactly this serial.")] = None,
    pin: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VERSION", help="Another version of a package.")
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option(metavar="CODE=DIST@DIR", help="Another source or edition of a system.")
    ] = None,
) -> None:
    """Resolves a release to exact versions and signs it into the depot, under the next serial."""
    scope.refuse("release build")
    file = find_spec(release)
    sources = Sources(
        file=file,
        spec=load_spec(file),
        root=content(),
        pins=overrides.pins(pin or []),
        systems=overrides.systems(system or []),
    )
    with _progress() as progress:
        built = build_release(Home(), sources, progress, serial)
    word = "unchanged" if built.unchanged else "built"
    _out.print(f"{word}: {built.manifest.release} serial {built.manifest.serial}")
    _out.print(f"{built.folder}  manifest sha256 {built.manifest.sha256()}", soft_wrap=True)


@app.command()
def verify(
    release: Release,
    key: Annotated[
        Path | None, typer.Option(help="The public release key; default: the one known here.")
    ] = None,
) -> None:
    """Holds a build in the depot against its signature, and every file against the manifest."""
    home = Home()
    signer = key or public_key(home)
    manifest = verify_build(find_build(home, release), signer)
    _out.print(
        f"verified: {manifest.release} serial {manifest.serial}, {len(manifest.files())} files, "
        f"signed by {_grouped(fingerprint_of(signer))}",
        soft_wrap=True,
    )


@app.command()
def show(
    release: Release,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Shows what a build contains."""
    home = Home()
    found = summary(signed_manifest(find_build(home, release), public_key(home)))
    if as_json:
        _out.print_json(json.dumps(found))
        return
    table = Table("", "", title=f"{found['release']} serial {found['serial']}", show_header=False)
    table.columns[1].overflow = "fold"
    table.add_row("manifest sha256", found["manifest_sha256"])
    for system in found["systems"]:
        edition = f"  edition {system['edition']}" if system["edition"] else ""
        table.add_row(system["dist"], f"{system['version']}{edition}", style="bold")
    for name, version in {**found["packages"], **found["tools"]}.items():
        table.add_row(name, version)
    for what, count in found["counts"].items():
        table.add_row(what, str(count))
    for what, size in found["bytes"].items():
        table.add_row(f"size, {what}", f"{size / 1e6:.1f} MB")
    _out.print(table)


@app.command()
def export(release: Release, file: File) -> None:
    """Writes a build to one file, from which a bare host without network becomes a control node."""
    scope.refuse("release export")
    home = Home()
    key = public_key(home)
    with _progress() as progress:
        progress.step("export")
        manifest = bundle.export(find_build(home, release), key, file, progress.bytes)
    _out.print(f"exported: {manifest.build} to {file} ({file.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    _out.print(
        f"Hand over on paper the release key's fingerprint: {_grouped(fingerprint_of(key))}", soft_wrap=True
    )


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="The bundle, or the folder it was unpacked to.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="The release key's fingerprint, from paper; needed the first time.")
    ] = None,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Also if its serial is older than the highest known.")
    ] = False,
) -> None:
    """Takes a bundle into the depot, once signature, key, serial and every file were found to hold."""
    with _progress() as progress:
        progress.step("import")
        manifest = bundle.import_release(Home(), file, fingerprint, allow_older, progress.bytes)
    _out.print(f"imported: {manifest.release} serial {manifest.serial}")


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


if __name__ == "__main__":
    try:
        app()
    except RolloutError as error:
        _err.print(str(error))
        raise SystemExit(error.exit_code) from error
