"""What the tests of apply share: a region whose hosts are this machine, and parts that only pretend."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path

import yaml
from rich.console import Console

from rollout.apply.child import Work
from rollout.apply.journal import Journal
from rollout.apply.play import Event, Failure, Outcome, Player
from rollout.apply.ports import Ports
from rollout.apply.run import Applicant, Options
from rollout.apply.show import Lines
from rollout.audit.audit import Seen
from rollout.audit.build import Build
from rollout.audit.findings import AuditReport, Finding, HostReport
from rollout.clock import SHANGHAI
from rollout.depot.remote import Channel, Remote
from rollout.inventory import Host, Inventory, Site, load
from rollout.paths import Home, content
from rollout.plan.make import Made
from rollout.plan.model import HostPlan, Plan, SitePlan, State
from rollout.record import SiteRecord
from rollout.release.manifest import Deb, Manifest

PLAYS = {
    "10-one": """
- hosts: all
  gather_facts: false
  tasks:
    - name: Write what the release says
      ansible.builtin.copy:
        dest: "{{ out }}/{{ inventory_hostname }}"
        content: "{{ release__build }} {{ release__hosts[inventory_hostname] | to_json }}"
        mode: "0600"
    - name: Take a moment
      ansible.builtin.command: sleep {{ nap }}
      changed_when: false
""",
    "20-two": """
- hosts: all
  gather_facts: false
  tasks:
    - name: There is nothing in the way
      ansible.builtin.stat: {path: "{{ out }}/broken-{{ inventory_hostname }}"}
      register: broken
      failed_when: broken.stat.exists
    - name: A folder
      ansible.builtin.file: {path: "{{ out }}/d-{{ inventory_hostname }}", state: directory, mode: "0755"}
""",
}


class Local:
    """A host that is this machine: host-side programs run as they would over SSH."""

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        assert sudo
        done = subprocess.run(argv, input=input, timeout=timeout, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


class Here(Local):
    """A host that is this machine: host-side programs run as over SSH, below a root of their own."""

    def __init__(self, root: Path, name: str = "here", log: list[str] | None = None) -> None:
        self.root, self.name = root, name
        self.log = log if log is not None else []

    def run(
        self,
        argv: Sequence[str],
        input: bytes = b"",  # noqa: A002
        timeout: float = 60,
        sudo: bool = False,
    ) -> bytes:
        message = json.loads(input)
        question = message["question"]
        for key in ("folder", "dpkg"):
            if key in question:
                question[key] = f"{self.root}{question[key]}"
        program = message["modules"][-1][0].rpartition(".")[2]
        self.log.append(f"{self.name}: {program}")
        if program == "heal":  # it would look at everything that runs on this machine
            return b'{"waited": [], "busy": [], "half_done": "", "healed": false, "left": ""}'
        return super().run(argv, json.dumps(message).encode(), timeout, sudo)

    @contextmanager
    def stream(self, argv: Sequence[str], sudo: bool = False) -> Iterator[Channel]:
        raise NotImplementedError(argv, sudo)
        yield


@dataclass(frozen=True)
class Pretender:
    """Does what the plays below do, without Ansible; a second each is too much for every test."""

    home: Home
    journal: Journal
    run: str
    site: str
    stop: threading.Event

    def play(self, work: Work, managed: Path | None, watch: Callable[[Event], None]) -> Outcome:
        names = [f"{self.site}-{letter}" for letter in "abs"]
        out, check = work.project / "out", "--check" in work.arguments
        variables = json.loads(Path(work.arguments[work.arguments.index("-e", 3) + 1][1:]).read_text())
        outcome = Outcome(rc=0)
        for host in names:
            target = out / (f"d-{host}" if work.playbook.endswith("two.yml") else host)
            changed = not target.exists()
            if (out / f"broken-{host}").exists() and target.name.startswith("d-"):
                outcome.failures[host] = Failure(host, "There is nothing in the way", "broken")
                outcome.rc = 2
                return outcome
            if not check and target.name.startswith("d-"):
                target.mkdir(exist_ok=True)
            elif not check:
                packages = json.dumps(variables["release__hosts"][host])
                target.write_text(f"{variables['release__build']} {packages}")
            if managed:
                with managed.open("a") as stream:
                    stream.write(json.dumps({"host": host, "path": str(target), "content": "kept"}) + "\n")
            watch({"event": "ok", "host": host, "task": "it", "changed": changed})
            counts = {"ok": 2, "changed": int(changed), "failed": 0, "unreachable": 0, "skipped": 0}
            outcome.recap[host] = counts
        return outcome


def a_manifest(serial: int = 3) -> Manifest:
    deb = Deb(
        name="etcd-server",
        version="3.4.23-4",
        architecture="amd64",
        file="pool/e.deb",
        size=1,
        sha256="a" * 64,
    )
    return Manifest(
        release="2026.1",
        serial=serial,
        suite="2026.1",
        debs=[deb],
        wheels=[],
        indices=[],
        packages={"minicomputer": ["etcd-server"], "storage": ["etcd-server"], "control": []},
        model_packages={},
        platform=[],
        control=[],
    )


@dataclass
class World:
    """A folder with inventory, content, home and hosts; what is wrong in it is set by the tests."""

    folder: Path
    sites: Sequence[str] = ("hezhou",)
    state: State = "converge"
    findings: list[Finding] = field(default_factory=list)  # of the closing audit
    found: str = "0" * 64  # what the plan's audit saw
    removed: Sequence[str] = ("telnet",)  # what the plan names for removal
    log: list[str] = field(default_factory=list)
    output: StringIO = field(default_factory=StringIO)
    on_push: Callable[[], None] = lambda: None
    on_plan: Callable[[], None] = lambda: None
    real: bool = False  # whether Ansible itself plays

    def __post_init__(self) -> None:
        self.home = Home(self.folder / "home")
        self.home.ssh_key.write_text("")
        if not (self.folder / "inventory").exists():
            self._write()
        self.inventory: Inventory = load(self.folder / "inventory")
        self.build = Build(a_manifest(), self.folder)

    def _write(self) -> None:
        folders = ("inventory/group_vars", "playbooks/site", "plugins", "roles", "out")
        for name in folders:
            (self.folder / name).mkdir(parents=True)
        children = {}
        for number, name in enumerate(self.sites):
            network = f"198.19.{200 + number}"
            hosts = {
                f"{name}-{letter}": {
                    "ansible_host": f"{network}.{11 + place}",
                    "hardware__model": "lab-store" if letter == "s" else "lab-mini",
                }
                for place, letter in enumerate("abs")
            }
            variables = {
                "site__kind": "region" if name == "guangxi" else "city",
                "site__title": name,
                "site__division": f"45{number:02}00",
                "site__network": f"{network}.0/24",
                "site__vip": f"{network}.10",
            }
            children[name] = {"vars": variables, "hosts": hosts}
        text = yaml.safe_dump({"all": {"vars": {"ansible_user": "rollout"}, "children": children}})
        (self.folder / "inventory" / "hosts.yml").write_text(text)
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        shared: dict[str, object] = {**local, "out": str(self.folder / "out"), "nap": 0}
        (self.folder / "inventory" / "group_vars" / "all.yml").write_text(yaml.safe_dump(shared))
        imports = [{"name": name, "ansible.builtin.import_playbook": f"site/{name}.yml"} for name in PLAYS]
        (self.folder / "playbooks" / "site.yml").write_text(yaml.safe_dump(imports))
        for name, text in PLAYS.items():
            (self.folder / "playbooks" / "site" / f"{name}.yml").write_text(text)
        callback = content() / "plugins" / "callback"
        (self.folder / "plugins" / "callback").symlink_to(callback)
        (self.folder / "ansible.cfg").write_text("[defaults]\nany_errors_fatal = True\n")

    def nap(self, seconds: float) -> None:
        file = self.folder / "inventory" / "group_vars" / "all.yml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "nap": seconds}))

    def host(self, host: Host, _home: Home) -> Here:
        return Here(self.folder / "hosts" / host.name, host.name, self.log)

    def lease(self, site: str = "hezhou") -> Path:
        return self.folder / "hosts" / f"{site}-s" / "var/lib/rollout/lease.json"

    def plan(self, sites: list[Site]) -> Plan:
        return Plan(
            release="2026.1",
            serial=3,
            manifest_sha256=self.build.sha256,
            inventory_sha256=self.inventory.sha256,
            rollback=False,
            rollout_version="0",
            made_at=datetime.now(SHANGHAI),
            sites=[
                SitePlan(
                    site=site.name,
                    state=self.state,
                    reasons=["hezhou-a: no answer"] if self.state == "blocked" else ["because"],
                    systems=[],
                    hosts=[a_host_plan(host.name, self.removed) for host in site.hosts.values()],
                    points_of_no_return=[],
                    input_sha256="1" * 64,
                    findings_sha256=self.found,
                )
                for site in sites
            ],
        )

    def make(
        self, home: Home, inventory: Inventory, sites: list[Site], build: Build, *, rollback: bool = False
    ) -> Made:
        assert (home, inventory, build, rollback) == (self.home, self.inventory, self.build, False)
        self.log.append("plan")
        self.on_plan()
        nothing: dict[str, SiteRecord | None] = {}
        return Made(self.plan(sites), Seen(self.report(sites), nothing, {}, {}))

    def look(self, home: Home, _inventory: Inventory, sites: list[Site], _build: Build) -> Seen:
        self.log.append("audit")
        assert (home.records / f"{sites[0].name}.json").is_file()  # the candidate
        return Seen(self.report(sites), {}, {}, {})

    def report(self, sites: list[Site]) -> AuditReport:
        hosts = [
            HostReport(
                host=host.name,
                site=site.name,
                reachable=True,
                checked={"package": 1},
                running={},
                findings=self.findings,
            )
            for site in sites
            for host in site.hosts.values()
        ]
        return AuditReport(
            release="2026.1",
            serial=3,
            manifest_sha256=self.build.sha256,
            inventory_sha256=self.inventory.sha256,
            rollout_version="0",
            taken_at=datetime.now(SHANGHAI),
            uniform=not self.findings,
            summary={},
            hosts=hosts,
        )

    def push(
        self, folder: Path, manifest: Manifest, remote: Remote, *, progress: Callable[[int, int], None]
    ) -> None:
        assert (folder, manifest) == (self.folder, self.build.manifest)
        assert remote.name.endswith("-s")
        self.log.append("push")
        progress(1, 2)
        self.on_push()

    def verify(self, _folder: Path, _key: Path) -> Manifest:
        self.log.append("verify")
        return self.build.manifest

    def applicant(self, options: Options | None = None) -> Applicant:
        ports = Ports(
            content=lambda: self.folder,
            connect=self.host,
            verify=self.verify,
            public_key=lambda _: self.folder / "release.gpg",
            push=self.push,
            player=Player if self.real else Pretender,
            make=self.make,
            look=self.look,
        )
        show = Lines(Console(file=self.output, width=200))
        waits = Options(orphan_wait=0, heal_wait=0)
        return Applicant(self.home, self.inventory, self.build, show, options or waits, ports)

    @property
    def all_sites(self) -> list[Site]:
        return list(self.inventory.sites.values())


def a_host_plan(host: str, remove: Sequence[str]) -> HostPlan:
    return HostPlan(
        host=host,
        install=[],
        remove=list(remove),
        heal=False,
        rebuild=False,
        rewrite=[],
        start=[],
        restart=[],
        by_hand=[],
    )


def yes(_plan: Plan) -> bool:
    return True


def main() -> None:
    """A run in a process of its own, to be killed: FOLDER real|pretended."""
    world = World(Path(sys.argv[1]), real=sys.argv[2] == "real")
    world.applicant().apply(world.all_sites, yes)


if __name__ == "__main__":
    main()
