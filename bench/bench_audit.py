"""The audit of 45 hosts, beside Ansible's package_facts and plain parallel ssh on the same hosts.

Bare lab hosts: every contestant does what it does on a host that answers, and nothing else. The three take
turns, so that a busy machine is busy for all of them. Run it with the machine to yourself.
"""

import argparse
import base64
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rollout import clock
from rollout.audit import payload
from rollout.audit.expect import wanted
from rollout.inventory import Inventory, load
from rollout.lab import Lab
from rollout.lab.requirements import missing
from rollout.paths import Home
from rollout.release.manifest import Manifest
from rollout.release.verify import find_build

_FOR_PACKAGE_FACTS = ("distro-info-data", "python-apt-common", "python3-apt")
ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
RELEASE = "2026.1"
# DESIGN §8.
_MULTIPLEX = "-o ControlMaster=auto -o ControlPersist=5s"
MUST_ANSIBLE, AIM_ANSIBLE, MUST_SSH = 8.0, 12.0, 2.0


def write_inventory(folder: Path, cities: int) -> Inventory:
    """Cities of three hosts each, every city with its own network."""
    lines = ["all:", "  vars: {ansible_user: rollout}", "  children:"]
    for number in range(cities):
        site, network = f"audit{number:02}", f"198.19.{200 + number}"
        lines += [
            f"    {site}:",
            "      vars:",
            f'        {{site__kind: city, site__title: 测试市, site__division: "45{number:02}00",',
            f"         site__network: {network}.0/24, site__vip: {network}.10}}",
            "      hosts:",
            f"        {site}-a: {{ansible_host: {network}.11, hardware__model: lab-mini}}",
            f"        {site}-b: {{ansible_host: {network}.12, hardware__model: lab-mini}}",
            f"        {site}-s: {{ansible_host: {network}.13, hardware__model: lab-store}}",
        ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load(folder)


class Contest:
    """The three ways to look at the same hosts."""

    def __init__(self, home: Home, inventory: Inventory) -> None:
        self.home, self.inventory = home, inventory
        self.ssh = [
            *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "ControlMaster=no"),
            *("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={home.known_hosts}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "IdentitiesOnly=yes", "-i", str(home.ssh_key)),
        ]

    def audit(self) -> int:
        """``rollout audit``, the whole command from its start; the number of hosts that answered."""
        argv = [str(BIN / "rollout"), "audit", RELEASE, "-i", self.inventory.path, "--json"]
        environment = {**os.environ, "ROLLOUT_HOME": str(self.home.root)}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        return sum(host["reachable"] for host in json.loads(done.stdout)["hosts"])

    def ansible(self, *, pipelining: bool = False) -> int:
        """``package_facts``, as many forks as hosts, no connection left over from an earlier round."""
        hosts = len(self.inventory.hosts)
        with tempfile.TemporaryDirectory(prefix="ansible") as folder:
            (Path(folder) / "ansible.cfg").touch()  # Ansible as it is delivered
            environment = {
                **os.environ,
                "ANSIBLE_CONFIG": f"{folder}/ansible.cfg",
                "ANSIBLE_PIPELINING": str(pipelining),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": folder,
                "ANSIBLE_HOST_KEY_CHECKING": "True",
                "ANSIBLE_SSH_ARGS": f"{_MULTIPLEX} -o UserKnownHostsFile={self.home.known_hosts}",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline",
            }
            argv = [str(BIN / "ansible"), "all", "-i", f"{self.inventory.path}/hosts.yml", "--become"]
            argv += ["-m", "ansible.builtin.package_facts", "--forks", str(hosts)]
            argv += ["--private-key", str(self.home.ssh_key)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.count("SUCCESS")

    def plain_ssh(self) -> int:
        """The audit's own probes over one OpenSSH process per host, all at once."""
        running = []
        for host in self.inventory.hosts:
            argv = [*self.ssh, f"{host.user}@{host.address}", payload.COMMAND]
            pipe = subprocess.PIPE
            null = subprocess.DEVNULL
            process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=null, text=True)
            running.append((process, payload.stdin(wanted(host, None))))
        for process, text in running:
            if process.stdin:
                process.stdin.write(text)
                process.stdin.close()
        answers = [process.stdout.read() if process.stdout else "" for process, _ in running]
        for process, _ in running:
            process.wait()
        return sum("rollout-facts:" in answer for answer in answers)


def give_python3_apt(lab: Lab, build: Path) -> None:
    """A bare host lacks what package_facts needs; it comes from the release."""
    manifest = Manifest.read(build)
    files = [build / deb.file for deb in manifest.debs if deb.name in _FOR_PACKAGE_FACTS]
    script = "cd /tmp && rm -f *.deb && " + " && ".join(
        f"echo {base64.b64encode(file.read_bytes()).decode()} | base64 -d > {file.name.replace('%', '')}"
        for file in files
    )
    for name in lab.known():
        for host in lab.site(name).hosts.values():
            host.run("sh", stdin=f"{script} && dpkg -i /tmp/*.deb >/dev/null && rm /tmp/*.deb")


def measure(contest: Contest, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round, contestants in turn."""
    ways: dict[str, Callable[[], int]] = {
        "rollout audit": contest.audit,
        "plain parallel ssh, same probes": contest.plain_ssh,
        "ansible -m package_facts": contest.ansible,
        "the same with pipelining": lambda: contest.ansible(pipelining=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.monotonic()
            answered = way()
            seconds[name].append(round(time.monotonic() - begun, 3))
            if answered != len(contest.inventory.hosts):
                raise SystemExit(f"{name}: only {answered} of {len(contest.inventory.hosts)} hosts answered")
    return seconds


def machine() -> dict[str, object]:
    """What it was measured on."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "cpus": os.cpu_count(),
        "cpu": models[0].partition(":")[2].strip() if models else platform.processor(),
        "memory_kib": int(memory.split()[1]),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def result(contest: Contest, seconds: dict[str, list[float]], about: dict[str, object]) -> dict[str, object]:
    """Everything that belongs into the file."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    audit, ssh, ansible, pipelined = middle.values()
    return {
        "benchmark": "audit",
        "taken_at": clock.now().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": about,
        "versions": {name: metadata.version(name) for name in ("ansible-core", "pyinfra", "paramiko")},
        "hosts": len(contest.inventory.hosts),
        "seconds": seconds,
        "median_seconds": middle,
        "times_faster_than_ansible": round(ansible / audit, 2),
        "times_faster_than_pipelined_ansible": round(pipelined / audit, 2),
        "times_slower_than_plain_ssh": round(audit / ssh, 2),
        "must": {"times_faster_than_ansible": MUST_ANSIBLE, "times_slower_than_plain_ssh": MUST_SSH},
        "met": ansible / audit >= MUST_ANSIBLE and audit / ssh <= MUST_SSH,
    }


def show(found: dict[str, object]) -> None:
    """The table."""
    table = Table(title=f"audit of {found['hosts']} hosts", title_justify="left", box=None, pad_edge=False)
    table.add_column("way")
    for column in ("median s", "rounds s", "beside the audit"):
        table.add_column(column, justify="right")
    middle, seconds = found["median_seconds"], found["seconds"]
    if isinstance(middle, dict) and isinstance(seconds, dict):
        audit = middle["rollout audit"]
        for name, value in middle.items():
            rounds = " ".join(f"{one:.2f}" for one in seconds[name])
            table.add_row(name, f"{value:.2f}", rounds, f"{value / audit:.2f}×")
    console = Console()
    console.print(table)
    aim = f"must {MUST_ANSIBLE:.0f}×, aim {AIM_ANSIBLE:.0f}×"
    console.print(f"{found['times_faster_than_ansible']}× faster than Ansible ({aim});", end=" ")
    console.print(f"{found['times_slower_than_plain_ssh']}× plain ssh (must be within {MUST_SSH:.0f}×)")


def main() -> None:
    """Brings the hosts up, measures, takes them away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=int, default=15, help="three hosts each; 15: a region and 14 cities")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, default=Path("/var/lib/rollout-bench"))
    parser.add_argument("--keep", action="store_true", help="leave the hosts standing")
    options = parser.parse_args()
    lacks = missing()
    if lacks:
        print(f"bench_audit: skipped, the lab cannot run here; missing: {', '.join(lacks)}")
        sys.exit(1 if os.environ.get("CI") == "true" else 0)
    home = Home(options.home)
    inventory = write_inventory(home.root / "inventory", options.cities)
    environment = {**os.environ, "ROLLOUT_HOME": str(home.root)}
    subprocess.run([str(BIN / "rollout"), "release", "build", RELEASE], check=True, env=environment)
    lab = Lab(home, inventory)
    sites = list(inventory.sites)
    try:
        lab.up(sites)
        give_python3_apt(lab, find_build(home, RELEASE))
        contest = Contest(home, inventory)
        contest.plain_ssh()  # every host's first login is slower than the next
        about = machine()
        found = result(contest, measure(contest, options.rounds), about)
    finally:
        if not options.keep:
            lab.destroy(sites)
    show(found)
    folder = ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if found["met"] else 1)


if __name__ == "__main__":
    main()
