"""The resolver, with a real apt and made-up sources: only Debian's, only its own state, exact versions."""

import gzip
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, VerificationError
from rollout.paths import Home
from rollout.release import repository, synthetic
from rollout.release.apt import Apt, Resolved
from rollout.release.contents import Sources, collect_debs
from rollout.release.sign import Keyring
from rollout.release.spec import Packages, Requirements, Spec
from rollout.release.stanza import stanzas
from rollout.release.store import Store

pytestmark = pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not on this machine")

ARCHITECTURE = "amd64"


class Archive:
    """Made-up package archives on this disk, as the machine's only sources."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = root / "etc"
        self.sources.mkdir(parents=True)
        self.keyring = Keyring(Home(root / "home"), "release")
        self.keyring.ensure()

    def publish(self, name: str, debs: list[Resolved], origin: str = "Debian") -> None:
        """An archive whose codename is ``name``, signed, as a deb822 source."""
        base = self.root / "archive" / name
        packages = "".join(f"{deb.stanza.text}\n\n" for deb in debs).encode()
        index = f"main/binary-{ARCHITECTURE}/Packages.gz"
        synthetic_file(base / "dists" / name / index, gzip.compress(packages, mtime=0))
        release = (
            f"Origin: {origin}\nLabel: {origin}\nSuite: {name}\nCodename: {name}\nComponents: main\n"
            f"Architectures: {ARCHITECTURE}\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
        )
        for path, content in {
            index: gzip.compress(packages, mtime=0),
            index.removesuffix(".gz"): packages,
        }.items():
            release += f" {hashlib.sha256(content).hexdigest()} {len(content)} {path}\n"
        synthetic_file(base / "dists" / name / "InRelease", self.keyring.clearsign(release.encode()))
        (self.sources / f"{name}.sources").write_text(
            f"Types: deb\nURIs: file:{base}\nSuites: {name}\nComponents: main\n"
            f"Signed-By: {self.keyring.public_path}\n"
        )

    def deb(self, archive: str, name: str, version: str, **fields: str) -> Resolved:
        """A package in the pool of an archive."""
        content = synthetic.deb(name, version, **fields)
        found = synthetic.resolved(name, version, content, **fields)
        synthetic_file(self.root / "archive" / archive / found.stanza.get("Filename"), content)
        return found


def synthetic_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """Debian's three pockets, backports, and a foreign archive that has everything newer."""
    made = Archive(tmp_path / "machine")
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{made.sources}";\n'
        'Acquire::Check-Date "false";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    made.publish(
        "bookworm",
        [
            made.deb("bookworm", "base-files", "12", Essential="yes"),
            made.deb("bookworm", "tar", "1", Priority="required"),
            made.deb("bookworm", "libdb", "5"),
            made.deb("bookworm", "database", "15.18", Depends="libdb", Recommends="advice"),
            made.deb("bookworm", "advice", "1"),
            made.deb("bookworm", "keepalived", "1:2.2.7-1+b2"),
            made.deb("bookworm", "broken", "1", Depends="only-elsewhere"),
        ],
    )
    made.publish("bookworm-security", [made.deb("bookworm-security", "database", "15.20", Depends="libdb")])
    made.publish("bookworm-backports", [made.deb("bookworm-backports", "database", "18.1")])
    foreign = [made.deb("foreign", name, "99") for name in ("database", "libdb", "only-elsewhere")]
    made.publish("foreign", foreign, origin="Elsewhere")
    return made


@pytest.fixture
def apt(archive: Archive, tmp_path: Path) -> Callable[..., Apt]:
    del archive

    def make(**pins: str) -> Apt:
        made = Apt(tmp_path / "state", "bookworm", pins)
        made.update()
        return made

    return make


def test_a_solve_is_a_whole_closure_of_debians_newest(apt: Callable[..., Apt]) -> None:
    solved = apt().solve(["database"], "packages.base")
    assert {name: deb.version for name, deb in solved.items()} == {"database": "15.20", "libdb": "5"}


def test_essential_and_required_are_the_base(apt: Callable[..., Apt]) -> None:
    assert apt().base() == ["base-files", "tar"]


def test_an_epoch_survives(apt: Callable[..., Apt]) -> None:
    solved = apt().solve(["keepalived"], "x")["keepalived"]
    assert solved.version == "1:2.2.7-1+b2"
    assert ":" not in repository.pool_path(solved)


def test_a_pin_takes_an_older_version_that_is_still_served(apt: Callable[..., Apt]) -> None:
    assert apt(database="15.18").solve(["database"], "x")["database"].version == "15.18"


@pytest.mark.parametrize("version", ["18.1", "99", "14"])
def test_a_pin_to_what_debian_does_not_serve_is_refused(apt: Callable[..., Apt], version: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"--pin database={version}") as error:
        apt(database=version)
    assert "15.18" in error.value.hint
    assert "15.20" in error.value.hint


def test_what_only_others_have_is_refused_by_name(apt: Callable[..., Apt]) -> None:
    with pytest.raises(
        ConfigurationError, match=r"packages\.control: no such package in the sources: only-elsewhere"
    ):
        apt().solve(["only-elsewhere"], "packages.control")
    with pytest.raises(ConfigurationError, match=r"(?s)packages\.base.*only-elsewhere"):
        apt().solve(["broken"], "packages.base")


def test_no_source_of_debian_is_said(archive: Archive, tmp_path: Path) -> None:
    for file in archive.sources.glob("bookworm*"):
        file.unlink()
    with pytest.raises(ConfigurationError, match="no package source of Debian bookworm"):
        Apt(tmp_path / "state", "bookworm").update()


def test_a_source_that_fails_stops_the_build(archive: Archive, tmp_path: Path) -> None:
    (archive.root / "archive" / "bookworm-security" / "dists" / "bookworm-security" / "InRelease").unlink()
    with pytest.raises(ConfigurationError, match="apt-get failed"):
        Apt(tmp_path / "state", "bookworm").update()


def test_downloads_are_hashed_and_kept(apt: Callable[..., Apt], tmp_path: Path, archive: Archive) -> None:
    ready, store = apt(), Store(tmp_path)
    solved = ready.solve(["database", "keepalived"], "x")
    seen: list[int] = []
    ready.download(solved.values(), store, seen.append)
    assert all(store.holds(deb.sha256) for deb in solved.values())
    assert sum(seen) == sum(deb.size for deb in solved.values())
    shutil.rmtree(archive.root / "archive")
    ready.download(solved.values(), store, seen.append)
    assert list(tmp_path.glob("incoming-*")) == []


def test_a_file_that_is_not_the_indexs_is_refused(
    apt: Callable[..., Apt], tmp_path: Path, archive: Archive
) -> None:
    ready = apt()
    solved = ready.solve(["libdb"], "x")
    pool = archive.root / "archive" / "bookworm" / "pool" / "main" / "libdb_5_all.deb"
    pool.write_bytes(pool.read_bytes()[:-1] + b"x")
    with pytest.raises((ConfigurationError, VerificationError)):
        ready.download(solved.values(), Store(tmp_path))


def test_nothing_of_the_machine_is_touched(apt: Callable[..., Apt], tmp_path: Path) -> None:
    before = sorted(str(path) for path in Path("/var/lib/apt/lists").glob("*"))
    apt().solve(["database"], "x")
    assert sorted(str(path) for path in Path("/var/lib/apt/lists").glob("*")) == before
    assert (tmp_path / "state" / "pkgcache.bin").is_file()


def spec() -> Spec:
    return Spec(
        release="2026.1",
        debian="bookworm",
        packages=Packages(base=["keepalived"], minicomputer=["database"], storage=[], control=["advice"]),
        requirements=Requirements(platform="x", control="x"),
        systems=[],
    )


class Silent:
    def step(self, text: str) -> None:
        pass

    def bytes(self, done: int, total: int) -> None:
        assert done <= total


def test_kinds_and_models_get_what_they_need(archive: Archive, tmp_path: Path) -> None:
    del archive
    models = tmp_path / "hardware" / "models"
    models.mkdir(parents=True)
    (models / "big.yml").write_text("model: big\ntitle: Big\nkind: minicomputer\npackages: [advice]\n")
    (models / "plain.yml").write_text("model: plain\ntitle: Plain\nkind: storage\npackages: []\n")
    sources = Sources(file=Path("releases/2026.1.yml"), spec=spec(), root=tmp_path)
    debs = collect_debs(sources, tmp_path, Store(tmp_path), Silent())
    assert debs.packages == {
        "minicomputer": ["base-files", "database", "keepalived", "libdb", "tar"],
        "storage": ["base-files", "keepalived", "tar"],
        "control": ["advice", "base-files", "keepalived", "tar"],
    }
    assert debs.model_packages == {"big": ["advice"], "plain": []}
    assert debs.protected == {"base-files", "tar", "advice"}


def test_the_depot_is_a_source_for_apt(archive: Archive, tmp_path: Path) -> None:
    """What was built is read back by apt through its own signature, one component apart from the other."""
    for file in archive.sources.iterdir():
        file.unlink()
    home = Home(tmp_path / "home")
    built = synthetic.build(home)
    source = archive.sources / "depot.sources"
    for component, there, absent in (("site", "haproxy", "gnupg"), ("control", "gnupg", "haproxy")):
        source.write_text(
            f"Types: deb\nURIs: file:{built.folder}/apt\nSuites: 2026.1\nComponents: {component}\n"
            f"Signed-By: {built.folder}/keys/release.gpg\n"
        )
        state = Apt(tmp_path / f"state-{component}", "bookworm")
        with pytest.raises(ConfigurationError, match="no package source of Debian"):
            state.update()  # it is not Debian's, so no release is ever built from a depot
        lists = "".join(path.read_text() for path in (state.root / "lists").glob("*_Packages"))
        names = {stanza.name for stanza in stanzas(lists)}
        assert there in names
        assert absent not in names


def test_a_stanza_keeps_only_the_strong_checksum() -> None:
    text = (
        "Package: x\nVersion: 1\nDescription: y\n more\nFilename: pool/x.deb\nMD5sum: 0\nSHA256: 1\nSHA1: 2"
    )
    moved = next(stanzas(text + "\n\n")).moved("pool/y.deb")
    assert moved == "Package: x\nVersion: 1\nDescription: y\n more\nFilename: pool/y.deb\nSHA256: 1"
