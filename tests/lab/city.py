"""One city of three real hosts, as the tests see it: the command line from outside, the hosts from inside."""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollout.inventory import load
from rollout.lab import Lab, LabHost
from rollout.paths import Home

# Kept between runs so that packages are not fetched again; the city itself is always new.
HOME = Path(os.environ.get("ROLLOUT_TEST_HOME", "/var/lib/rollout-test"))
# Others for who tries several things on one machine at the same time.
NETWORK = os.environ.get("ROLLOUT_TEST_NETWORK", "198.19.1")
SITE = os.environ.get("ROLLOUT_TEST_SITE", "testcity")
VIP = f"{NETWORK}.10"
DROP_SYSTEMS = ("tax", "fees")
_BIN = Path(sys.executable).parent


def write_inventory(folder: Path, site: str = SITE, network: str = NETWORK, **others: str) -> Path:
    """An inventory with one city of its own network, so that it never meets a lab that somebody uses.

    ``others``: more cities, name → network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drop = f"drop__networks: [{network}.1/32], drop__systems: {json.dumps(_drop_systems(folder))}"
    auditors = f"site__auditors: [{json.dumps(_public(auditor_key(folder)))}]"
    cities = [_city(site, network, "450100", f", {drop}, {auditors}")]
    cities += [_city(name, other, f"450{n}00") for n, (name, other) in enumerate(others.items(), 2)]
    head = "all:\n  vars: {ansible_user: rollout}\n  children:\n"
    (folder / "hosts.yml").write_text(head + "".join(cities))
    (folder / "kinds.yml").write_text((Path("inventory/lab/kinds.yml")).read_text())
    return folder


def _city(site: str, network: str, division: str, more: str = "") -> str:
    hosts = "\n".join(
        f"        {site}-{letter}: {{ansible_host: {network}.{number}, hardware__model: {model}}}"
        for letter, number, model in [("a", 11, "lab-mini"), ("b", 12, "lab-mini"), ("s", 13, "lab-store")]
    )
    title = f'site__title: 试点市, site__division: "{division}"'
    variables = f"site__kind: city, {title}, site__network: {network}.0/24{more}"
    return f"    {site}:\n      vars: {{{variables}, site__vip: {network}.10}}\n      hosts:\n{hosts}\n"


def drop_key(inventory: Path, system: str) -> Path:
    """The private SSH key of an outside system."""
    return inventory.with_name(f"{inventory.name}-drop") / system


def auditor_key(inventory: Path) -> Path:
    """The private SSH key of an auditor."""
    return inventory.with_name(f"{inventory.name}-drop") / "auditor"


def _public(key: Path) -> str:
    """The public half, which is made if it is not there."""
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key.name, "-f", key], check=True)
    return key.with_suffix(".pub").read_text().strip()


def _drop_systems(inventory: Path) -> list[dict[str, object]]:
    """Two outside systems, each with a key of its own."""
    return [
        {
            "name": name,
            "keys": [_public(drop_key(inventory, name))],
            "permissions": ["socket.push", "payment.post"],
            "divisions": ["450100"],
            "days": 90,
        }
        for name in DROP_SYSTEMS
    ]


@dataclass(frozen=True)
class City:
    """A city under test. ``site`` is its name, ``home`` the control node's state."""

    home: Home
    inventory: Path
    site: str = SITE

    @property
    def lab(self) -> Lab:
        return Lab(self.home, load(self.inventory))

    def forget(self, record: Path | None = None) -> None:
        """Drops the control node's record of the city, or puts another one in its place."""
        for end in ("json", "json.asc"):
            file = self.home.records / f"{self.site}.{end}"
            file.unlink(missing_ok=True)
            if record and (record / file.name).exists():
                file.write_bytes((record / file.name).read_bytes())

    def raze(self) -> None:
        """Leaves nothing of the city's hosts, nor of what the control node kept for it; the depot stays."""
        if self.site in self.lab.known():
            self.lab.destroy([self.site])
        for kept in (self.home.secrets(self.site), self.home.records / f"{self.site}.json"):
            subprocess.run(["rm", "-rf", kept, f"{kept}.asc"], check=True)
        (self.home.root / "contractors.yml").unlink(missing_ok=True)

    def address(self, letter: str) -> str:
        """A host's own address."""
        return f"{NETWORK}.{'abs'.index(letter) + 11}"

    def host(self, letter: str) -> LabHost:
        return self.lab.host(f"{self.site}-{letter}")

    def environment(self, **more: str) -> dict[str, str]:
        own = {"ROLLOUT_HOME": str(self.home.root), "ROLLOUT_INVENTORY": str(self.inventory), "NO_COLOR": "1"}
        return {**os.environ, **own, "COLUMNS": "160", **more}

    def rollout(
        self, *arguments: str, expect: int | None = 0, timeout: float = 900, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs the tool; fails with everything it said when the exit code is not the expected one."""
        argv = [str(_BIN / "rollout"), *arguments]
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=self.environment(**environment),
        )
        if expect is not None and done.returncode != expect:
            said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
            raise AssertionError(f"{' '.join(argv)} ended with {done.returncode}, not {expect}\n{said}")
        return done

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Starts the tool in the background."""
        return subprocess.Popen(
            [str(_BIN / "rollout"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(**environment),
        )

    def apply(
        self, *more: str, expect: int | None = 0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        argv = ["apply", "2026.1", "--site", self.site, "--yes", *more]
        return self.rollout(*argv, expect=expect, timeout=900, **environment)

    def audit(self, *more: str, expect: int | None = 0) -> dict[str, Any]:
        """The audit's JSON report."""
        done = self.rollout("audit", "2026.1", "--site", self.site, "--json", *more, expect=expect)
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def findings(self, expect: int = 1) -> set[tuple[str, str, str]]:
        """(host letter, component, kind) of every finding."""
        report = self.audit(expect=expect)
        return {
            (host["host"][-1], finding["component"], finding["kind"])
            for host in report["hosts"]
            for finding in host["findings"]
        }

    def get(self, path: str, address: str = VIP, timeout: float = 5) -> tuple[int, dict[str, str], str]:
        """Status, headers (lower case) and body of a page of the city, certificate verified."""
        context = ssl.create_default_context(cafile=str(self.home.secrets(self.site) / "ca.pem"))
        request = urllib.request.Request(f"https://{address}{path}")
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
                headers = {k.lower(): v for k, v in answer.headers.items()}
                return answer.status, headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, {}, error.read().decode()

    def wait_for(self, path: str, seconds: float, address: str = VIP) -> float:
        """Seconds until a page answers 200; fails when it never does."""
        begin = time.monotonic()
        last: object = None
        while time.monotonic() - begin < seconds:
            try:
                status, _, last = self.get(path, address, timeout=2)
                if status == 200:
                    return time.monotonic() - begin
            except OSError as error:
                last = error
            time.sleep(0.2)
        raise AssertionError(f"https://{address}{path} did not answer within {seconds} s: {last}")

    def leader(self) -> str:
        """Letter of the minicomputer that PostgreSQL's primary runs on."""
        for letter in "ab":
            host = self.host(letter)
            if host.running:
                said = host.run(
                    "su postgres -c \"psql -XAtc 'SELECT pg_is_in_recovery()'\"", check=False, timeout=20
                )
                if said.stdout.strip() == "f":
                    return letter
        raise AssertionError("no minicomputer has a primary")

    def sql(self, query: str, letter: str | None = None, database: str = "jincai") -> str:
        """The answer of the primary (or of one minicomputer) to a query."""
        host = self.host(letter or self.leader())
        return host.run(["runuser", "-u", "postgres", "--", "psql", "-XAtqc", query, database]).stdout.strip()

    def wait_whole(self, seconds: float = 120) -> None:
        """Waits until the primary has its synchronous standby again, and Patroni says so as well.

        PostgreSQL knows it first; Patroni, which the audit asks, looks every few seconds.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                leader = self.leader()
                sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
                known = self.host(leader).run("patronictl -c /etc/patroni/config.yml list -f json").stdout
                if self.sql(sync, leader) == "1" and "Sync Standby" in known:
                    return
                last: object = f"no synchronous standby: {known}"
            except (AssertionError, RuntimeError, Exception) as error:  # noqa: BLE001 - it is being repaired
                last = error
            time.sleep(1)
        raise AssertionError(f"{self.site} is not whole after {seconds} s: {last}")
