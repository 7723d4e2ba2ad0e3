#!/usr/bin/python
"""Ansible module: a build of the depot, verified on the host before anything of it is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: depot_build
short_description: Verifies a depot build on the host; a minicomputer fetches what it needs first
description:
  - Checks the manifest's signature with gpgv, refuses a serial older than the highest this host accepted,
    and compares every file that is there with the manifest.
  - With I(url) it first fetches the manifest and the platform's wheels from there.
options:
  build:
    description: Name and serial of the build, the folder's name.
    type: str
    required: true
  path:
    description: Folder that holds builds on this host.
    type: path
    required: true
  url:
    description: Where builds are served; without it the build must be at I(path) already.
    type: str
  public_key:
    description: The release key as a binary keyring.
    type: path
    required: true
  accepted:
    description: File that remembers the highest serial accepted.
    type: path
    required: true
  manifest_sha256:
    description: Digest of the manifest that the control node verified.
    type: str
    required: true
  rollback:
    description: Whether going back to an older serial was asked for.
    type: bool
    default: false
author: the rollout project
"""

EXAMPLES = r"""
- name: The build is whole and signed
  depot_build:
    build: 2026.1-3
    path: /srv/depot
    public_key: /etc/rollout/release.gpg
    accepted: /var/lib/rollout/accepted.json
    manifest_sha256: "{{ release__manifest_sha256 }}"
"""

RETURN = r"""
serial:
  description: Serial of the build; 0 in check mode when it is not there yet.
  type: int
  returned: always
"""

import hashlib
import json
import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.depot_fetch import fetch
from ansible.module_utils.host_verify import (
    MANIFEST,
    SIGNATURE,
    Refused,
    accept,
    all_files,
    check_signature,
    holds,
    host_files,
    verify,
)

_REQUIREMENTS = "wheels/platform.requirements.txt"


def bring(url: str, folder: Path, key: Path, manifest_sha256: str) -> bool:
    """Fetches manifest and wheels into ``folder``; True when anything was fetched."""
    manifest_file = folder / MANIFEST
    changed = False
    if not manifest_file.is_file() or digest(manifest_file) != manifest_sha256 or not is_signed(folder, key):
        # The manifest last: when it is there, its signature is too.
        for name in (SIGNATURE, MANIFEST):
            fetch(f"{url}/{name}", folder / name)
        changed = True
    check_signature(folder, key)
    manifest = json.loads(manifest_file.read_text())
    known = all_files(manifest)
    wheels = [name for name in host_files(manifest, "minicomputer", "") if name.startswith("wheels/")]
    for name in [*wheels, _REQUIREMENTS]:
        target = folder / name
        if not target.is_file() or not holds(target, known[name]):
            fetch(f"{url}/{name}", target)
            changed = True
    return changed


def digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_signed(folder: Path, key: Path) -> bool:
    """Whether what an earlier run fetched is whole."""
    try:
        check_signature(folder, key)
    except Refused:
        return False
    return True


def forget_others(path: Path, keep: str) -> None:
    """Removes what was fetched of other builds: the storage device has them."""
    for folder in path.iterdir():
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def judge(parameters: dict, check_mode: bool) -> dict:
    """The module's result; raises Refused."""
    folder = Path(parameters["path"]) / parameters["build"]
    key, accepted = Path(parameters["public_key"]), Path(parameters["accepted"])
    mirror = not parameters["url"]
    changed = False
    if not mirror and not check_mode:
        base = f"{parameters['url']}/{parameters['build']}"
        changed = bring(base, folder, key, parameters["manifest_sha256"])
        forget_others(folder.parent, folder.name)
    if check_mode and not folder.is_dir():
        return {"changed": True, "serial": 0}
    kind = "storage" if mirror else "minicomputer"
    result = verify(folder, key, accepted, kind=kind, mirror=mirror, rollback=parameters["rollback"])
    if not result["ok"]:
        raise Refused(f"{folder}: " + "; ".join(result["failures"][:10]))
    if result["manifest_sha256"] != parameters["manifest_sha256"]:
        raise Refused(f"{folder / MANIFEST}: signed, but not the one that the control node verified")
    if not check_mode:
        changed = accept(accepted, result["serial"], result["manifest_sha256"]) or changed
    return {"changed": changed, "serial": result["serial"]}


def main() -> None:
    """Runs on the host."""
    arguments = {
        "build": {"type": "str", "required": True},
        "path": {"type": "path", "required": True},
        "url": {"type": "str"},
        "public_key": {"type": "path", "required": True},
        "accepted": {"type": "path", "required": True},
        "manifest_sha256": {"type": "str", "required": True},
        "rollback": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    try:
        module.exit_json(**judge(module.params, module.check_mode))
    except Refused as error:
        module.fail_json(msg=f"refused before anything was installed: {error}")


if __name__ == "__main__":
    main()
