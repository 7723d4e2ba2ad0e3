"""What the scenario takes from the tool: `write` variables beside the inventory, or `push` the depot."""

import json
import sys
from pathlib import Path

from rollout.apply.variables import release_variables
from rollout.depot.push import push
from rollout.depot.ssh import SshHost
from rollout.inventory import load
from rollout.paths import Home
from rollout.release.verify import find_build, public_key, verify_build
from rollout.secrets.store import ensure

HERE = Path(__file__).parent
SITE = "guilin"


def main() -> None:
    home, site = Home(), load(HERE / "inventory").sites[SITE]
    build = find_build(home, "2026.1")
    manifest = verify_build(build, public_key(home))
    if sys.argv[1] == "push":
        push(build, manifest, SshHost(site.storage, home))
        return
    folder = HERE / "inventory" / "group_vars" / SITE
    folder.mkdir(parents=True, exist_ok=True)
    variables = release_variables(manifest, site, public_key(home), {}, manifest_sha256=manifest.sha256())
    (folder / "release.json").write_text(json.dumps(variables))
    vault = folder / "vault.yml"
    vault.unlink(missing_ok=True)
    vault.symlink_to(ensure(home, site).vault_file)


main()
