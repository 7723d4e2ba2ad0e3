"""The multi-function socket (多功能插座): finds the installed access systems and decides whether they fit."""

from collections.abc import Iterable
from importlib import metadata

from jincai import __version__, versions
from jincai.errors import PluginError
from jincai.system import System

GROUP = "jincai.systems"


def load(entries: Iterable[metadata.EntryPoint] | None = None) -> tuple[System, ...]:
    """The installed access systems (or those of ``entries``), sorted by code.

    Raises:
        PluginError: an entry point cannot be loaded, says something untrue, needs another platform,
            or shares its code with another one. The message names each system concerned.
    """
    found = [
        _load_one(entry) for entry in (metadata.entry_points(group=GROUP) if entries is None else entries)
    ]
    problems = [
        *_same_code(found),
        *_same_kind(found),
        *(text for system in found for text in _does_not_fit(system)),
    ]
    if problems:
        raise PluginError("\n".join(problems), "Install exactly one fitting edition of each system.")
    return tuple(sorted(found, key=lambda system: system.code))


def _load_one(entry: metadata.EntryPoint) -> System:
    where = f"entry point {entry.name!r} ({entry.value})"
    try:
        system = entry.load()
    except Exception as error:  # whatever a plug-in's import raises, the answer is to name the plug-in
        raise PluginError(f"{where} cannot be loaded: {error}", "Reinstall its dist or remove it.") from error
    if not isinstance(system, System):
        raise PluginError(f"{where} yields {type(system).__name__}, not a jincai.system.System")
    if system.code != entry.name:
        raise PluginError(f"{where} yields a system with the code {system.code!r}; name and code must agree")
    if entry.dist is not None and (entry.dist.name, entry.dist.version) != (system.dist, system.version):
        installed = f"{entry.dist.name} {entry.dist.version}"
        raise PluginError(
            f"{where} calls itself {system.dist} {system.version} but is installed as {installed}"
        )
    return system


def _same_code(systems: list[System]) -> list[str]:
    by_code: dict[str, list[str]] = {}
    for system in systems:
        by_code.setdefault(system.code, []).append(f"{system.dist} {system.version}")
    return [
        f"two systems have the code {code!r}: {' and '.join(sorted(same))}"
        for code, same in sorted(by_code.items())
        if len(same) > 1
    ]


def _same_kind(systems: list[System]) -> list[str]:
    by_kind: dict[str, list[str]] = {}
    for system in systems:
        for document in system.documents:
            by_kind.setdefault(document.kind, []).append(f"{system.dist} {system.version}")
    return [
        f"documents of kind {kind!r} are handled by more than one: {' and '.join(sorted(same))}"
        for kind, same in sorted(by_kind.items())
        if len(same) > 1
    ]


def _does_not_fit(system: System) -> list[str]:
    try:
        fits = versions.matches(__version__, system.platform)
    except ValueError as error:
        return [f"{system.dist} {system.version}: {error}"]
    if fits:
        return []
    needs = f"{system.dist} {system.version} works with jincai {system.platform}"
    return [f"{needs}, but this is jincai {__version__}"]
