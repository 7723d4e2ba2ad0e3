"""Verifies a build on a host of a site, before anything of it is installed there.

Runs on the host itself (Python 3.11, standard library and gpgv only), so a host believes neither the control
node nor ``s``: only the release key. ``main`` prints one JSON object and exits 0 when all holds, else 1.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.asc"
# The sets of packages that are for hosts of a site; a control node's are not.
SITE_KINDS = ("minicomputer", "storage")

Data = dict[str, Any]


class Refused(Exception):  # noqa: N818 - it becomes one line of the result
    """What is wrong, naming the file."""


def site_files(manifest: Data) -> dict[str, Data]:
    """What a site's ``s`` mirrors: every file that any of the site's hosts may need, and all indices."""
    files = {entry["file"]: entry for entry in manifest["indices"]}
    for kind in SITE_KINDS:
        for model in ("", *manifest["model_packages"]):
            files |= host_files(manifest, kind, model)
    return {name: {"size": entry["size"], "sha256": entry["sha256"]} for name, entry in files.items()}


def host_files(manifest: Data, kind: str, model: str) -> dict[str, Data]:
    """The packages of one host, and the platform's wheels with their installer."""
    names = {*manifest["packages"][kind], *manifest["model_packages"].get(model, [])}
    files = {deb["file"]: deb for deb in manifest["debs"] if deb["name"] in names}
    python = {*manifest["platform"], manifest["installer"]}
    return files | {wheel["file"]: wheel for wheel in manifest["wheels"] if wheel["name"] in python}


def all_files(manifest: Data) -> dict[str, Data]:
    """Every file of the build, the manifest and its signature excepted."""
    return {entry["file"]: entry for part in ("debs", "wheels", "indices") for entry in manifest[part]}


def check_signature(build: Path, key: Path) -> None:
    """The manifest is what the release key's owner signed."""
    for name in (MANIFEST, SIGNATURE):
        if not (build / name).is_file():
            raise Refused(f"{build / name}: missing")
    # A wrong clock on the host must not make a valid release invalid: time is not part of the promise.
    command = ["gpgv", "--status-fd", "1", "--ignore-time-conflict", "--keyring", str(key.resolve())]
    done = subprocess.run(
        [*command, str(build / SIGNATURE), str(build / MANIFEST)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and "[GNUPG:] VALIDSIG" in done.stdout:
        return
    if "[GNUPG:] NO_PUBKEY" in done.stdout:
        raise Refused(f"{build / MANIFEST}: signed by another key than {key}")
    raise Refused(f"{build / MANIFEST} or {SIGNATURE}: changed after it was signed")


def accepted_before(file: Path) -> Data:
    """``{"serial": …, "manifest_sha256": …}`` of the highest serial that this host accepted."""
    if not file.is_file():
        return {"serial": 0}
    content: Data = json.loads(file.read_text(encoding="utf-8"))
    return content


def check_serial(serial: int, manifest_sha256: str, before: Data, rollback: bool) -> None:
    """An older serial only as an explicit rollback; the accepted serial only with the accepted content."""
    if serial < before["serial"] and not rollback:
        raise Refused(
            f"serial {serial} is older than {before['serial']}, which this host accepted; "
            "only a rollback goes back"
        )
    if serial == before["serial"] and before.get("manifest_sha256", manifest_sha256) != manifest_sha256:
        raise Refused(f"serial {serial}: this host accepted other content under it")


def check_files(build: Path, manifest: Data, needed: dict[str, Data], mirror: bool) -> list[str]:
    """What is wrong with the files, by name: missing ones on a mirror; changed or unknown ones everywhere."""
    known = all_files(manifest)
    present = {
        path.relative_to(build).as_posix(): path
        for path in build.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    for name in (MANIFEST, SIGNATURE):
        present.pop(name, None)
    problems = [f"{name}: not in the manifest" for name in sorted({*present} - {*known})]
    if mirror:
        problems += [f"{name}: missing" for name in sorted({*needed} - {*present})]
    names = sorted({*present} & {*known})
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        good = pool.map(lambda name: holds(present[name], known[name]), names)
    return problems + [f"{name}: changed" for name, fine in zip(names, good, strict=True) if not fine]


def holds(file: Path, entry: Data) -> bool:
    """Whether a plain file has the manifest's size and SHA-256."""
    if file.is_symlink() or file.stat().st_size != entry["size"]:
        return False
    with file.open("rb") as stream:
        return bool(hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"])


def accept(file: Path, serial: int, manifest_sha256: str) -> bool:
    """Remembers the highest serial; after a rollback the higher one stays. True when the file changed."""
    before = accepted_before(file)
    new = {"serial": serial, "manifest_sha256": manifest_sha256}
    if serial < before["serial"] or before == new:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(new, stream)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
    return True


def verify(
    build: Path,
    key: Path,
    accepted: Path,
    *,
    kind: str,
    model: str = "",
    mirror: bool = False,
    rollback: bool = False,
) -> Data:
    """The result as data: ``ok``, ``release``, ``serial``, ``manifest_sha256``, ``checked``, ``failures``.

    ``mirror``: the host is the site's depot and must hold everything that the site's hosts need; otherwise
    only what is there is hashed (apt and pip check the rest as they fetch it). Nothing is written.
    """
    result: Data = {"ok": False, "failures": []}
    try:
        check_signature(build, key)
        content = (build / MANIFEST).read_bytes()
        manifest = json.loads(content)
        digest = hashlib.sha256(content).hexdigest()
        result |= {"release": manifest["release"], "serial": manifest["serial"], "manifest_sha256": digest}
        check_serial(manifest["serial"], digest, accepted_before(accepted), rollback)
        needed = site_files(manifest) if mirror else host_files(manifest, kind, model)
        result["checked"] = sum((build / name).is_file() for name in needed)
        result["failures"] = check_files(build, manifest, needed, mirror)
    except Refused as error:
        result["failures"] = [str(error)]
    result["ok"] = not result["failures"]
    return result


def main(arguments: list[str] | None = None) -> int:
    """The command line on a host."""
    parser = argparse.ArgumentParser(description="Verifies a build of the depot on this host.")
    parser.add_argument("build", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="the release key, binary")
    parser.add_argument("--accepted", type=Path, required=True, help="file with the highest accepted serial")
    parser.add_argument("--kind", choices=SITE_KINDS, default="minicomputer")
    parser.add_argument("--model", default="")
    parser.add_argument("--mirror", action="store_true", help="everything a site needs must be there")
    parser.add_argument("--rollback", action="store_true", help="going back to an older serial was asked for")
    parser.add_argument("--accept", action="store_true", help="remember the serial when everything holds")
    given = parser.parse_args(arguments)
    result = verify(
        given.build,
        given.key,
        given.accepted,
        kind=given.kind,
        model=given.model,
        mirror=given.mirror,
        rollback=given.rollback,
    )
    if result["ok"] and given.accept:
        result["changed"] = accept(given.accepted, result["serial"], result["manifest_sha256"])
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
