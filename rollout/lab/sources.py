"""This machine's own package sources, restricted to Debian's own packages.

apt itself says what each of its sources serves (``apt-get indextargets``), whatever their form; only the
trust settings are read from the files, because apt does not tell those.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rollout.errors import ConfigurationError
from rollout.lab.shell import command

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")

_FIELDS = ("ORIGIN", "CODENAME", "REPO_URI", "RELEASE", "COMPONENT", "SOURCESENTRY")
_TRUST = ("signed-by", "trusted")
_FORWARDED = re.compile(
    r"Acquire::(http|https|ftp|Check-Valid-Until|Check-Date|Retries|Max-ValidTime|AllowWeakRepositories)\b"
)


@dataclass(frozen=True)
class Target:
    """One package index that apt knows of; ``entry`` is ``<file>:<number>`` of the source it comes from."""

    origin: str
    codename: str
    uri: str
    suite: str
    component: str
    entry: str


def debian_sources(keys: Path) -> list[str]:
    """One-line sources for Debian 12 from this machine's own; inline signing keys are written to ``keys``.

    Raises ConfigurationError when no source of origin Debian serves it.
    """
    targets = _known_targets()
    if not any(is_debian(target) for target in targets):
        command(["apt-get", "-q", "update"], check=False)
        targets = _known_targets()
    chosen = [target for target in targets if is_debian(target)]
    if not {target.codename for target in chosen} >= {"bookworm"}:
        raise ConfigurationError(
            "this machine's package sources do not serve Debian 12 (bookworm)",
            "Add a Debian mirror to /etc/apt/sources.list.d and run apt-get update.",
        )
    return sorted({source_line(target, _trust(target.entry, keys)) for target in chosen})


def apt_options() -> list[str]:
    """The proxy and validity settings of this machine's apt, in apt.conf form."""
    dump = command(["apt-config", "dump"]).stdout.splitlines()
    options = [line for line in dump if _FORWARDED.match(line) and not line.endswith('"";')]
    for key, name in (("netrc", "auth.conf"), ("netrcparts", "auth.conf.d")):
        path = Path("/etc/apt") / name
        if path.exists():
            options.append(f'Dir::Etc::{key} "{path}";')
    return options


def parse_targets(output: str) -> list[Target]:
    """The lines of ``apt-get indextargets`` with the fields above, separated by ``|``."""
    rows = (line.split("|") for line in output.splitlines() if line.strip())
    return [Target(*row) for row in rows if len(row) == len(_FIELDS)]


def is_debian(target: Target) -> bool:
    """Whether the index is Debian's own and of one of the suites that make up Debian 12."""
    return target.origin == "Debian" and target.codename in SUITES


def source_line(target: Target, trust: dict[str, str]) -> str:
    """The source in apt's one-line form."""
    settings = " ".join(f"{key}={value}" for key, value in sorted(trust.items()))
    return " ".join(
        part
        for part in ("deb", f"[{settings}]" if settings else "", target.uri, target.suite, target.component)
        if part
    )


def trust_of(text: str, number: int, *, deb822: bool) -> dict[str, str]:
    """``signed-by`` and ``trusted`` of line ``number`` of a list, or stanza ``number`` of a deb822 file.

    An inline key comes back as its text, lines joined by newlines.
    """
    return _stanza_trust(text, number) if deb822 else _line_trust(text, number)


def _line_trust(text: str, number: int) -> dict[str, str]:
    lines = text.splitlines()
    options = re.search(r"\[(.*?)\]", lines[number - 1]) if number <= len(lines) else None
    pairs = (word.partition("=") for word in (options.group(1).split() if options else []))
    return {key.lower(): value for key, _, value in pairs if key.lower() in _TRUST}


def _stanza_trust(text: str, number: int) -> dict[str, str]:
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    stanzas = [part for part in re.split(r"\n\s*\n", kept) if part.strip()]
    if number > len(stanzas):
        return {}
    found: dict[str, str] = {}
    key = ""
    for line in stanzas[number - 1].splitlines():
        if line[:1].isspace():
            found[key] = found.get(key, "") + "\n" + line.strip().removeprefix(".")
        else:
            name, _, value = line.partition(":")
            key = name.strip().lower()
            found[key] = value.strip()
    return {name: value.strip() for name, value in found.items() if name in _TRUST}


def _known_targets() -> list[Target]:
    layout = "|".join(f"$({field})" for field in _FIELDS)
    output = command(["apt-get", "indextargets", "--format", layout, "Created-By: Packages"]).stdout
    return parse_targets(output)


def _trust(entry: str, keys: Path) -> dict[str, str]:
    file, _, number = entry.rpartition(":")
    path = Path(file)
    text = path.read_text(encoding="utf-8")
    trust = trust_of(text, int(number), deb822=path.suffix == ".sources")
    if "BEGIN PGP" in trust.get("signed-by", ""):
        key = keys / f"{path.stem}-{number}.asc"
        key.write_text(trust["signed-by"] + "\n", encoding="utf-8")
        trust["signed-by"] = str(key)
    return trust


def local_mirrors(lines: Iterable[str]) -> bool:
    """Whether a source lies on this machine's disk and must be visible inside the root being built."""
    return any(re.search(r"\s(file|copy):", line) for line in lines)
