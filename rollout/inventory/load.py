"""Reads and judges an inventory before anything is connected to.

An inventory is a folder in Ansible's own YAML form (``hosts.yml`` beside ``kinds.yml``), so that
``ansible -i`` works on it too. Every complaint names file and key; all of them are reported at once.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rollout.errors import ConfigurationError
from rollout.hardware import Model, load_models
from rollout.inventory.model import KIND_OF_LETTER, Host, Inventory, Letter, Site
from rollout.paths import Home

_SITE_FIELDS = ("kind", "title", "division", "network", "vip", "control", "auditors")
_DROP_FIELDS = ("systems", "networks")
# Variable → field of Site.
_SITE_VARIABLES = {f"site__{field}": field for field in _SITE_FIELDS} | {
    f"drop__{field}": f"drop_{field}" for field in _DROP_FIELDS
}
_VARIABLE_OF = {field: variable for variable, field in _SITE_VARIABLES.items()}
_HOST_KEYS = {"ansible_host", "hardware__model", "hardware__unit"}
_VERSION_KEY = re.compile(r"(^|_)(version|versions|release|serial|edition|pin|pinned)($|_)")
_MAX_BYTES = 4 * 1024 * 1024

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: ten times as fast

_LETTERS: dict[str, Letter] = {letter: letter for letter in KIND_OF_LETTER}

Problems = list[str]


def default_path() -> Path:
    """``$ROLLOUT_INVENTORY``; never a real region by default (DESIGN §7)."""
    value = os.environ.get("ROLLOUT_INVENTORY")
    if not value:
        raise ConfigurationError(
            "no inventory named", "Give one with -i (for the lab: -i inventory/lab) or set ROLLOUT_INVENTORY."
        )
    return Path(value)


def load(path: Path, models: dict[str, Model] | None = None) -> Inventory:
    """The inventory in folder ``path``; raises ConfigurationError that lists every problem found."""
    if not (path / "hosts.yml").is_file():
        raise ConfigurationError(
            f"{path}: no inventory (hosts.yml is missing)", "Name a folder such as inventory/lab with -i."
        )
    problems: Problems = []
    document = _read(path / "hosts.yml")
    sites = _sites(document, path / "hosts.yml", problems)
    _check_models(sites, models or load_models(), path / "hosts.yml", problems)
    _check_unique(sites, path / "hosts.yml", problems)
    problems += _version_variables(path)
    if problems:
        raise ConfigurationError("the inventory is refused:\n  " + "\n  ".join(problems))
    order = sorted(sites.values(), key=lambda site: site.kind != "region")
    return Inventory(path=str(path), sha256=_digest(path), sites={site.name: site for site in order})


def select(inventory: Inventory, names: list[str]) -> list[Site]:
    """The sites named, or all when none is named; refuses an unknown one, or one outside the scope here."""
    if (Home().root / "scope.json").is_file():
        from rollout.access import scope  # noqa: PLC0415 - of no use to whoever has no scope

        names = scope.within(names) or []
    unknown = [name for name in names if name not in inventory.sites]
    if unknown:
        raise ConfigurationError(
            f"{inventory.path}/hosts.yml: unknown site {', '.join(unknown)}",
            f"It has: {', '.join(inventory.sites)}.",
        )
    return [inventory.sites[name] for name in names] if names else list(inventory.sites.values())


def _read(file: Path) -> dict[str, Any]:
    if file.stat().st_size > _MAX_BYTES:
        raise ConfigurationError(f"{file}: larger than {_MAX_BYTES} bytes")
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  a safe one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{file}: expected a mapping at the top")
    return document


def _sites(document: dict[str, Any], file: Path, problems: Problems) -> dict[str, Site]:
    top = document.get("all")
    children = top.get("children") if isinstance(top, dict) else None
    if not isinstance(children, dict) or not children:
        problems.append(f"{file}: all.children: no site")
        return {}
    user = (top.get("vars") or {}).get("ansible_user", "rollout") if isinstance(top, dict) else "rollout"
    sites = {}
    for name, group in children.items():
        site = _site(str(name), group, user, f"{file}: all.children.{name}", problems)
        if site:
            sites[site.name] = site
    if sites and sum(site.kind == "region" for site in sites.values()) > 1:
        problems.append(f"{file}: all.children: more than one site has site__kind: region")
    return sites


def _site(name: str, group: object, user: str, where: str, problems: Problems) -> Site | None:
    if not isinstance(group, dict):
        problems.append(f"{where}: expected vars and hosts")
        return None
    variables = group.get("vars") or {}
    unknown = sorted(str(k) for k in variables if k not in _SITE_VARIABLES)
    problems += [
        f"{where}.vars.{key}: not a site variable" for key in unknown if not _VERSION_KEY.search(key)
    ]
    known = {field: variables[name] for name, field in _SITE_VARIABLES.items() if name in variables}
    before = len(problems)
    hosts = _hosts(name, group.get("hosts") or {}, user, where, problems)
    if len(problems) > before:
        return None
    try:
        return Site(name=name, hosts=hosts, **known)
    except ValidationError as error:
        problems += [
            f"{where}.vars.{'.'.join([_VARIABLE_OF[str(e['loc'][0])], *map(str, e['loc'][1:])])}: {e['msg']}"
            if e["loc"] and e["loc"] != ("name",)
            else f"{where}: {e['msg']}"
            for e in error.errors()
        ]
        return None


def _hosts(
    site: str, entries: dict[str, Any], user: str, where: str, problems: Problems
) -> dict[Letter, Host]:
    hosts: dict[Letter, Host] = {}
    for letter in KIND_OF_LETTER:
        host_name = f"{site}-{letter}"
        if host_name not in entries:
            problems.append(f"{where}.hosts.{host_name}: missing; a site has {site}-a, {site}-b and {site}-s")
    for host_name, raw in entries.items():
        found = _LETTERS.get(str(host_name).removeprefix(f"{site}-"))
        place = f"{where}.hosts.{host_name}"
        if found is None:
            problems.append(f"{place}: not a host of {site}; a site has {site}-a, {site}-b and {site}-s")
            continue
        values = raw or {}
        problems += [
            f"{place}.{key}: not a host variable"
            for key in values
            if key not in _HOST_KEYS and not _VERSION_KEY.search(str(key))
        ]
        try:
            hosts[found] = Host(
                name=host_name,
                letter=found,
                address=values.get("ansible_host"),
                model=values.get("hardware__model"),
                unit=values.get("hardware__unit", ""),
                user=user,
            )
        except ValidationError as error:
            keys = {"address": "ansible_host", "model": "hardware__model", "unit": "hardware__unit"}
            problems += [
                f"{place}.{keys.get(str(e['loc'][0]), e['loc'][0])}: {e['msg']}" for e in error.errors()
            ]
    return hosts


def _check_models(sites: dict[str, Site], models: dict[str, Model], file: Path, problems: Problems) -> None:
    for host in (host for site in sites.values() for host in site.hosts.values()):
        place = f"{file}: all.children.{host.site}.hosts.{host.name}.hardware__model"
        model = models.get(host.model)
        if model is None:
            problems.append(
                f"{place}: no such model {host.model!r}; hardware/models has {', '.join(sorted(models))}"
            )
        elif model.kind != host.kind:
            problems.append(f"{place}: {host.model} is a {model.kind}, {host.name} must be a {host.kind}")


def _check_unique(sites: dict[str, Site], file: Path, problems: Problems) -> None:
    seen: dict[object, str] = {}
    for site in sites.values():
        claims = [(site.vip, f"all.children.{site.name}.vars.site__vip")]
        claims += [
            (h.address, f"all.children.{site.name}.hosts.{h.name}.ansible_host") for h in site.hosts.values()
        ]
        for address, place in claims:
            if address in seen:
                problems.append(f"{file}: {place}: {address} is already the address of {seen[address]}")
            seen.setdefault(address, place)
    networks = list(sites.values())
    for index, one in enumerate(networks):
        for other in networks[index + 1 :]:
            if one.network.overlaps(other.network):
                problems.append(
                    f"{file}: all.children.{other.name}.vars.site__network: overlaps that of {one.name}"
                )


def _version_variables(path: Path) -> Problems:
    """Versions come from the release alone: one set below region level would undo uniformity."""
    problems = []
    files = [
        path / "hosts.yml",
        *sorted(path.glob("group_vars/**/*.y*ml")),
        *sorted(path.glob("host_vars/**/*.y*ml")),
    ]
    for file in files:
        for key in _keys(_read(file), ""):
            last = key.rsplit(".", 1)[-1]
            if _VERSION_KEY.search(last):
                problems.append(f"{file}: {key}: versions are set by the release, never in an inventory")
    return problems


def _keys(node: object, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            place = f"{prefix}.{key}" if prefix else str(key)
            yield place
            yield from _keys(value, place)


def _digest(path: Path) -> str:
    """One digest over every file of the inventory, by name."""
    total = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*.y*ml") if p.is_file()):
        total.update(f"{file.relative_to(path)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
