#!/usr/bin/python
"""Ansible module: a virtual environment that holds exactly the platform's wheels of a depot build."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wheel_venv
short_description: A virtual environment that is, file by file, what the wheels of a verified build contain
description:
  - Compares every file below site-packages with the RECORD inside the wheels. When anything differs the
    environment is built anew beside the old one and takes its place in one step.
  - Installs offline, with hashes required, without bytecode. No pip and no scripts stay behind.
options:
  path:
    description: Folder of the virtual environment.
    type: path
    required: true
  depot:
    description: Folder of the verified build (manifest.json and wheels/).
    type: path
    required: true
author: the rollout project
"""

EXAMPLES = r"""
- name: The release's virtual environment
  wheel_venv:
    path: /opt/jincai/releases/2026.1-3/venv
    depot: /var/lib/rollout/depot/2026.1-3
"""

RETURN = r"""
differences:
  description: What differed before (at most 20 of them).
  type: list
  elements: str
  returned: always
environment_sha256:
  description: Digest over the code of all wheels, as a process that loaded it reports.
  type: str
  returned: always
"""

import json
import os
import shutil
import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.wheel_files import code_digest, differences, wheel_files

_SITE_PACKAGES = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


# A program of its own in bin/ would run in place of Debian's.
_LINKS = {"python": "python3", "python3": "/usr/bin/python3", f"python3.{sys.version_info.minor}": "python3"}


def expected_files(depot: Path, manifest: dict) -> dict[str, str]:
    """Path below site-packages -> sha256 over all wheels of the platform."""
    wanted = set(manifest["platform"])
    files: dict[str, str] = {}
    for wheel in manifest["wheels"]:
        if wheel["name"] in wanted:
            files.update(wheel_files(depot / wheel["file"]))
    return files


def configuration() -> str:
    """``pyvenv.cfg``, the same on every host."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n"


def wrong_with(path: Path, expected: dict[str, str]) -> list[str]:
    """Everything about an environment that is not as it should be; empty when it is right."""
    if not (path / "bin" / "python").exists() or not (path / "pyvenv.cfg").exists():
        return ["missing the whole environment"]
    wrong = differences(expected, path / _SITE_PACKAGES)
    there = {p.name: str(p.readlink()) if p.is_symlink() else "a file" for p in (path / "bin").iterdir()}
    odd = [name for name in sorted(_LINKS.keys() | there.keys()) if there.get(name) != _LINKS.get(name)]
    wrong += [f"modified bin/{name}" for name in odd]
    if (path / "pyvenv.cfg").read_text() != configuration():
        wrong.append("modified pyvenv.cfg")
    return wrong


def build(module: AnsibleModule, path: Path, depot: Path, manifest: dict) -> None:
    """Builds the environment at ``path``, which does not exist yet."""
    installer = next(w for w in manifest["wheels"] if w["name"] == manifest["installer"])
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1"}
    wheels = depot / "wheels"
    venv = ["/usr/bin/python3", "-m", "venv", "--without-pip", str(path)]
    module.run_command(venv, check_rc=True, environ_update=environment)
    pip = ["/usr/bin/python3", f"{depot / installer['file']}/pip", "--python", str(path / "bin" / "python")]
    options = ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--require-hashes", "--quiet"]
    options += ["--disable-pip-version-check", "--root-user-action=ignore", "--no-warn-script-location"]
    source = ["--find-links", str(wheels), "-r", str(wheels / "platform.requirements.txt")]
    module.run_command([*pip, "install", *options, *source], check_rc=True, environ_update=environment)
    for script in (path / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()
    (path / "pyvenv.cfg").write_text(configuration())


def replace(path: Path, new: Path) -> None:
    """Puts ``new`` where ``path`` is; a crash between the two renames is healed by the next run."""
    old = path.with_name(path.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Runs on the host."""
    arguments = {"path": {"type": "path", "required": True}, "depot": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    os.umask(0o022)
    path, depot = Path(module.params["path"]), Path(module.params["depot"])
    manifest = json.loads((depot / "manifest.json").read_text())
    expected = expected_files(depot, manifest)
    wrong = wrong_with(path, expected)
    if wrong and not module.check_mode:
        new = path.with_name(path.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        build(module, new, depot, manifest)
        left = wrong_with(new, expected)
        if left:
            module.fail_json(msg=f"the wheels did not install as their RECORD says: {left[:20]}")
        replace(path, new)
    module.exit_json(changed=bool(wrong), differences=wrong[:20], environment_sha256=code_digest(expected))


if __name__ == "__main__":
    main()
