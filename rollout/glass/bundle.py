"""A support bundle: one archive for each host, with a manifest; no secrets, no personal data."""

import hashlib
import io
import json
import lzma
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rollout import __version__, clock, secrets
from rollout.access import scope
from rollout.apply.journal import Journal, Run
from rollout.apply.remote import Remote, ask
from rollout.errors import ApplyError, ConfigurationError, RolloutError, UnreachableError
from rollout.files import write
from rollout.glass.clean import Cleaner
from rollout.inventory import Host, Site
from rollout.paths import Home

PART_SECONDS = 15
PART_BYTES = 2 << 20
LOG_HOURS = 24
# Everything at one host; what is slower than this is itself the finding.
HOST_SECONDS = 300
RUNS_KEPT = 3
RUN_LOG_BYTES = 1 << 20
XZ_PRESET = 3


class Part(BaseModel):
    """One file of the archive; ``cut``: its beginning was left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    bytes: int
    cut: bool


class Manifest(BaseModel):
    """``manifest.json`` of an archive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    site: str
    taken_at: str
    taken_by: str
    rollout_version: str
    parts: dict[str, Part]
    missing: dict[str, str]
    note: str = "No secrets and no personal data: see docs/break-glass.md for what was taken out, and how."


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    cut: bool


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: dict[str, _Part]
    missing: dict[str, str]


@dataclass(frozen=True)
class Collector:
    """Collects at sites, into ``folder``."""

    home: Home
    folder: Path
    journal: Journal
    connect: Callable[[Host], Remote]
    taken_at: str = field(default_factory=lambda: f"{clock.now():%Y%m%dT%H%M%S}")

    def at(self, site: Site) -> tuple[bool, str]:
        """One archive for each of the site's hosts that answers.

        Raises:
            UnreachableError: a host does not answer; of the others there is one.
            ApplyError: a host answers and fails.
        """
        cleaner = Cleaner(secrets.ensure(self.home, site).values)
        made: list[str] = []
        errors: list[RolloutError] = []
        for host in site.hosts.values():
            try:
                made.append(self._host(site, host, cleaner).name)
            except (UnreachableError, ApplyError) as error:
                errors.append(error)
        if errors:
            kind = UnreachableError if any(isinstance(e, UnreachableError) for e in errors) else ApplyError
            there = [f"but there is {', '.join(made)}"] if made else []
            raise kind("; ".join([*(error.message for error in errors), *there]), errors[0].hint)
        return False, ", ".join(made)

    def _host(self, site: Site, host: Host, cleaner: Cleaner) -> Path:
        question = {"seconds": PART_SECONDS, "bytes": PART_BYTES, "hours": LOG_HOURS}
        raw = ask(
            self.connect(host), "bundle", question, timeout=HOST_SECONDS, package="rollout.glass.hostside"
        )
        try:
            found = _Answer.model_validate(raw)
        except ValidationError as error:
            raise ApplyError(f"{host.name}: not a bundle: {error.errors()[0]['msg']}") from None
        parts = {name: (part.text, part.cut) for name, part in found.parts.items()}
        if host.letter == "s":
            parts |= self._of_control_node(site)
        clean = {name: (cleaner.text(name, text).encode(), cut) for name, (text, cut) in parts.items()}
        manifest = Manifest(
            host=host.name,
            site=site.name,
            taken_at=clock.now().isoformat(),
            taken_by=scope.who(self.home.root),
            rollout_version=__version__,
            parts={
                name: Part(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), cut=cut)
                for name, (content, cut) in sorted(clean.items())
            },
            missing=found.missing,
        )
        return self._archive(manifest, {name: content for name, (content, _) in clean.items()})

    def _of_control_node(self, site: Site) -> dict[str, tuple[str, bool]]:
        """The journal's last runs at the site, and what Ansible said in them."""
        runs = [run for run in self.journal.runs(200) if site.name in run.sites][:RUNS_KEPT]
        parts = {"control/runs.json": (json.dumps([_row(run) for run in runs], indent=1), False)}
        for run in runs:
            for log in sorted(
                (self.home.root / "runs" / run.id / site.name).glob("*/artifacts/ansible/stdout")
            ):
                raw = log.read_bytes()
                text = raw[-RUN_LOG_BYTES:].decode(errors="replace")
                name = f"logs/control-{run.id}-{log.parents[2].name}"
                parts[name] = (text, len(raw) > RUN_LOG_BYTES)
        return parts

    def _archive(self, manifest: Manifest, contents: dict[str, bytes]) -> Path:
        name = f"{manifest.host}-{self.taken_at}"
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            text = manifest.model_dump_json(indent=1).encode() + b"\n"
            for part, said in {"manifest.json": text, **dict(sorted(contents.items()))}.items():
                member = tarfile.TarInfo(f"{name}/{part}")
                member.size, member.mode, member.mtime = len(said), 0o600, int(time.time())
                tar.addfile(member, io.BytesIO(said))
        file = self.folder / f"{name}.tar.xz"
        content = lzma.compress(packed.getvalue(), preset=XZ_PRESET)
        write(file, content)
        digest = hashlib.sha256(content).hexdigest()
        write(file.with_name(f"{file.name}.sha256"), f"{digest}  {file.name}\n".encode())
        return file


def folder(out: Path) -> Path:
    """The folder to write to, made if need be, for its owner alone."""
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{out}: {error.strerror}", "Name a folder with --out.") from error
    return out


def _row(run: Run) -> dict[str, Any]:
    return run.model_dump(mode="json", exclude={"pid", "pid_start"})
