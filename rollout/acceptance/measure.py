"""Asks the hosts of a site, and measures the line to the region."""

import base64
import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from rollout.acceptance.model import Discovered, Line
from rollout.apply.remote import ask
from rollout.depot.ssh import SshHost
from rollout.errors import ApplyError, UnreachableError
from rollout.inventory import Host, Site
from rollout.paths import Home

# Above the ports that the platform uses; open for some seconds on a host that has no firewall of ours yet.
LINK_PORT = 47_113
_SERVE_SECONDS = 15
# On the disk that will hold the data.
DATA = "/var/lib"


def hosts(home: Home, site: Site) -> dict[str, Discovered]:
    """Host → what it is made of. UnreachableError names those that did not answer."""
    found = list(site.hosts.values())
    with ThreadPoolExecutor(len(found)) as pool:
        answers = list(pool.map(lambda host: _host(home, host), found))
    silent = [answer for answer in answers if isinstance(answer, str)]
    if silent:
        raise UnreachableError(
            "not accepted, not refused:\n  " + "\n  ".join(silent), "Bring them to answer, then try again."
        )
    return {h.name: a for h, a in zip(found, answers, strict=True) if isinstance(a, Discovered)}


def _host(home: Home, host: Host) -> Discovered | str:
    try:
        return Discovered.model_validate(ask(SshHost(host, home), "hardware", {"sync": DATA}, timeout=120))
    except (UnreachableError, ApplyError, ValidationError) as error:
        return f"{host.name}: {str(error).splitlines()[0]}"


def line(home: Home, site: Site, region: Site) -> Line | str:
    """The region's storage device sends, the site's takes in; or why that could not be measured."""
    taking, sending = SshHost(site.storage, home), SshHost(region.storage, home)
    serve = {"serve": _SERVE_SECONDS, "address": str(site.storage.address), "port": LINK_PORT}
    try:
        with ThreadPoolExecutor(1) as pool:
            serving = pool.submit(ask, taking, "link", serve, 60)
            to = {"to": str(site.storage.address), "port": LINK_PORT}
            found = Line.model_validate(ask(sending, "link", to, timeout=60))
            serving.result()
    except (UnreachableError, ApplyError, ValidationError) as error:
        return str(error).splitlines()[0]
    return found


def fingerprint(host: Host) -> str:
    """The ed25519 key that the host shows now, as OpenSSH prints fingerprints; empty when it shows none."""
    argv = ["ssh-keyscan", "-T", "5", "-t", "ed25519", str(host.address)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    for words in (line.split() for line in done.stdout.splitlines() if not line.startswith("#")):
        if len(words) >= 3:
            digest = hashlib.sha256(base64.b64decode(words[2])).digest()
            return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    return ""
