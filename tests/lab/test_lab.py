"""The lab itself: real hosts boot, are closed off, lose power and cable, and are put back."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest

from rollout.errors import ConfigurationError, HeldError
from rollout.inventory import load
from rollout.lab import Lab, LabError, LabHost
from rollout.lab.lock import hold
from rollout.lab.network import bridge_name
from rollout.lab.requirements import missing
from rollout.paths import Home

pytestmark = pytest.mark.lab

SITES = {"labtest": "198.19.236.0/24", "labother": "198.19.237.0/24"}
OUTSIDE = "203.0.113.2"  # RFC 5737: documentation, so nobody's
PORT = 8765


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inventory")
    text = "all:\n  children:\n"
    for number, (site, network) in enumerate(SITES.items()):
        net = ip_network(network)
        text += f"    {site}:\n      vars: {{site__kind: city, site__title: {site}, site__network: {net},"
        text += f' site__division: "45{number:02}00", site__vip: {net[10]}}}\n      hosts:\n'
        for at, letter in enumerate("abs"):
            model = "lab-store" if letter == "s" else "lab-mini"
            text += f"        {site}-{letter}: {{ansible_host: {net[11 + at]}, hardware__model: {model}}}\n"
    (folder / "hosts.yml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def lab(home: Home, inventory: Path) -> Iterator[Lab]:
    lacks = missing()
    if lacks:
        reason = f"the lab cannot run here; missing: {', '.join(lacks)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    lab = Lab(home, load(inventory))
    try:
        lab.up(["labtest"])
        yield lab
    finally:
        lab.destroy(lab.known())


@pytest.fixture
def a(lab: Lab) -> Iterator[LabHost]:
    """Host a, running and connected before and after each test."""
    host = lab.host("labtest-a")
    yield host
    host.join_link()
    host.start()
    host.wait_ssh()


@pytest.fixture
def other(lab: Lab) -> Iterator[Lab]:
    """A second site, gone again afterwards."""
    try:
        lab.up(["labother"])
        yield lab
    finally:
        if "labother" in lab.known():
            lab.destroy(["labother"])


def reaches(host: LabHost, address: str, port: int = 22) -> bool:
    """Whether a TCP connection from ``host`` is accepted."""
    script = f"import socket; socket.create_connection(('{address}', {port}), 1.5)"
    return host.run(["python3", "-c", script], check=False).returncode == 0


def accepts(address: str, port: int) -> bool:
    """Whether a TCP connection from this machine is accepted."""
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def listener(address: str) -> list[str]:
    """A program that accepts TCP connections until it is killed."""
    script = "import socket, sys; server = socket.create_server((sys.argv[1], int(sys.argv[2])))"
    script += "\nwhile True: server.accept()"
    return [sys.executable, "-c", script, address, str(PORT)]


def eventually(true: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until ``true`` holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.1)


def first_process(host: LabHost) -> str:
    """When the host's first process began; empty while there is none."""
    try:
        return host.run("cut -d' ' -f22 /proc/1/stat", check=False).stdout.strip()
    except LabError:
        return ""


def remains(site: str) -> int:
    """How many things of the site this machine still has: mounts, processes, interfaces, control groups."""
    text = Path("/proc/mounts").read_text()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text += (folder / "cmdline").read_text(errors="replace")
        except OSError:
            continue
    text += " ".join(path.name for path in Path("/sys/class/net").iterdir())
    text += " ".join(str(path) for path in Path("/sys/fs/cgroup").glob("*/rollout-lab/*"))
    return text.count(f"{site}-a") + text.count(bridge_name(site))


def test_every_host_answers_ssh_with_its_key_checked(lab: Lab, home: Home, tmp_path: Path) -> None:
    for host in lab.site("labtest").hosts.values():
        done = host.ssh("sudo hostname; sudo systemctl is-system-running")
        assert done.stdout.split() == [host.name, "running"]
    stranger = tmp_path / "known_hosts"
    stranger.write_text("")
    done = subprocess.run(
        [
            *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={stranger}"),
            *("-o", "StrictHostKeyChecking=yes", "-i", str(home.ssh_key), "rollout@198.19.236.11", "true"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Host key verification failed" in done.stderr


def test_known_hosts_has_each_host_once_under_name_and_address(lab: Lab, home: Home) -> None:
    lab.up(["labtest"])
    for file in (home.known_hosts, home.root / "lab" / "known_hosts"):
        names = [line.split()[0] for line in file.read_text().splitlines()]
        assert sorted(names) == [
            f"labtest-{x},198.19.236.{n}" for x, n in zip("abs", (11, 12, 13), strict=True)
        ]


def test_a_host_is_delivered_bare(a: LabHost) -> None:
    assert a.run("passwd --status root").stdout.split()[1] == "L"
    assert a.run("find /etc/apt/sources.list /etc/apt/sources.list.d -type f", check=False).stdout == ""
    assert a.run("ls /etc/ssh/ssh_host_*").stdout.split() == [
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/ssh_host_ed25519_key.pub",
    ]
    routes = [line.split()[1] for line in a.run("cat /proc/net/route").stdout.splitlines()[1:]]
    assert "00000000" not in routes
    assert a.run("stat -c %a /").stdout.strip() == "755"


def test_hosts_have_identities_of_their_own(lab: Lab) -> None:
    hosts = lab.site("labtest").hosts.values()
    for what in (
        "cat /etc/machine-id",
        "cat /etc/ssh/ssh_host_ed25519_key.pub",
        "cat /sys/class/net/host0/address",
    ):
        assert len({host.run(what).stdout for host in hosts}) == 3


def test_commands_and_files_need_no_network(a: LabHost) -> None:
    a.cut_link()
    a.write_file("/srv/deep/er/file", "fen\n", mode=0o640, owner="root:rollout")
    assert (
        a.run("stat -c '%a %U %G' /srv/deep/er/file; cat /srv/deep/er/file").stdout
        == "640 root rollout\nfen\n"
    )
    assert a.run(["printf", "%s|", "a b", "$c"]).stdout == "a b|$c|"
    assert a.run("cat", stdin="in").stdout == "in"
    assert a.run("sleep 60", timeout=0.2, check=False).returncode == 124
    with pytest.raises(LabError, match=r"labtest-a: .*ended with 7\n  reason"):
        a.run("echo reason >&2; exit 7")


def test_hosts_see_each_other_and_the_control_node(a: LabHost) -> None:
    assert reaches(a, "198.19.236.12")
    with subprocess.Popen(listener("198.19.236.1")) as server:
        try:
            eventually(lambda: reaches(a, "198.19.236.1", PORT))
        finally:
            server.kill()


def test_sites_see_each_other(other: Lab, a: LabHost) -> None:
    assert reaches(a, "198.19.237.13")
    assert reaches(other.host("labother-s"), "198.19.236.11")


@pytest.fixture
def outside() -> Iterator[None]:
    """A machine behind this one, which this one forwards to, but not for the lab."""
    name, near, far = "labtest-out", "lt-near", "lt-far"
    with ExitStack() as undo:

        def ip(*arguments: str) -> None:
            subprocess.run(["ip", *arguments], check=True)

        ip("netns", "add", name)
        undo.callback(ip, "netns", "delete", name)
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        ip("address", "add", "203.0.113.1/24", "dev", near)
        ip("link", "set", near, "up")
        Path(f"/proc/sys/net/ipv4/conf/{near}/forwarding").write_text("1")
        ip("-n", name, "address", "add", f"{OUTSIDE}/24", "dev", far)
        ip("-n", name, "link", "set", far, "up")
        ip("-n", name, "route", "add", "default", "via", "203.0.113.1")
        command = ["ip", "netns", "exec", name, *listener(OUTSIDE)]
        server = undo.enter_context(subprocess.Popen(command))
        undo.callback(server.kill)
        eventually(lambda: accepts(OUTSIDE, PORT))
        yield


@pytest.mark.usefixtures("outside")
def test_nothing_outside_is_reachable_even_with_a_default_route(a: LabHost) -> None:
    assert not reaches(a, OUTSIDE, PORT)
    a.write_file(
        "/etc/systemd/network/10-host0.network.d/leak.conf",
        "[Route]\nDestination=0.0.0.0/0\nGateway=198.19.236.1\n",
    )
    a.run("systemctl restart systemd-networkd; sleep 1")
    assert "00000000" in a.run("cut -f2 /proc/net/route").stdout.split()
    assert not reaches(a, OUTSIDE, PORT)
    a.run("rm -r /etc/systemd/network/10-host0.network.d; systemctl restart systemd-networkd")


def test_the_machine_as_a_whole_is_no_router(lab: Lab) -> None:
    bridge = bridge_name("labtest")
    assert Path(f"/proc/sys/net/ipv4/conf/{bridge}/forwarding").read_text().strip() == "1"
    rules = subprocess.run(
        ["nft", "list", "table", "inet", "rollout_lab"], capture_output=True, text=True, check=True
    )
    assert 'oifname "rl-*" drop' in rules.stdout
    assert lab.standing() == ["labtest"]


def test_services_are_sandboxed_and_limited(a: LabHost) -> None:
    hardening = [
        *(
            "-p",
            "DynamicUser=yes",
            "-p",
            "ProtectSystem=strict",
            "-p",
            "PrivateTmp=yes",
            "-p",
            "NoNewPrivileges=yes",
        ),
        *("-p", "SystemCallFilter=@system-service", "-p", "StateDirectory=fen", "-p", "TasksMax=16"),
    ]
    run = ["systemd-run", "--quiet", *hardening, "-p", "Type=oneshot", "--unit=fen", "/bin/sh", "-c"]
    a.run([*run, "touch /tmp/seen; id -u > /var/lib/fen/who; touch /etc/no 2> /var/lib/fen/why || true"])
    assert 61184 <= int(a.run("cat /var/lib/fen/who").stdout) <= 65519
    assert "Read-only file system" in a.run("cat /var/lib/fen/why").stdout
    assert a.run("ls /tmp").stdout.strip() == ""

    eat = "held = bytearray(80 * 2**20); print(len(held))"
    limited = ["systemd-run", "--quiet", "-p", "Type=oneshot", "-p", "MemoryMax=40M", "--unit=eats"]
    assert a.run([*limited, "python3", "-c", eat], check=False).returncode != 0
    # Control groups of version 1 do not tell systemd why the process was killed.
    assert a.run("systemctl show -P Result eats").stdout.strip() in {"oom-kill", "signal"}
    assert a.run("systemctl show -P ExecMainStatus eats").stdout.strip() == "9"


def test_hosts_do_not_share_control_groups(lab: Lab, a: LabHost) -> None:
    b = lab.host("labtest-b")
    for host in (a, b):
        host.run(["systemd-run", "--quiet", "--unit=same", "sleep", "300"])
    a.run("systemctl kill --signal=KILL same")
    assert a.run("systemctl is-active same", check=False).stdout.strip() == "failed"
    assert b.run("systemctl is-active same").stdout.strip() == "active"


def test_a_cut_cable_cuts_both_ways_and_outlives_a_restart(lab: Lab, a: LabHost) -> None:
    b = lab.host("labtest-b")
    a.cut_link()
    assert not a.answers()
    assert not reaches(a, "198.19.236.12")
    assert not reaches(b, "198.19.236.11")
    a.restart()
    assert a.link_cut
    before = first_process(a)
    a.run("until systemctl is-system-running --wait; do sleep 0.1; done; systemctl reboot", check=False)
    eventually(lambda: first_process(a) not in {"", before})
    lab.up(["labtest"])
    assert not a.answers()
    assert a.run("cat /sys/class/net/host0/carrier").stdout.strip() == "1"
    a.join_link()
    a.wait_ssh()
    assert reaches(b, "198.19.236.11")


def test_power_can_be_cut_again_and_again_and_synced_data_stay(a: LabHost) -> None:
    for number in range(4):
        a.run(f"echo {number} >> /srv/synced; sync /srv/synced")
        a.run(["systemd-run", "--quiet", "sleep", "1000"])
        a.cut_power()
        assert not a.running
        assert not a.answers()
        a.start()
        a.wait_ssh()
    assert a.run("cat /srv/synced").stdout.split() == ["0", "1", "2", "3"]
    assert a.run("pgrep -c sleep", check=False).stdout.strip() == "0"


def test_a_host_can_reboot_itself(a: LabHost) -> None:
    before = first_process(a)
    a.run("systemctl reboot", check=False)
    eventually(lambda: first_process(a) not in {"", before} and a.answers())


def test_a_stopped_host_says_so(a: LabHost) -> None:
    a.stop()
    assert not a.running
    with pytest.raises(LabError, match="labtest-a is not running"):
        a.run("true")
    a.stop()
    a.cut_power()


def test_a_saved_state_comes_back(lab: Lab, a: LabHost) -> None:
    site = lab.site("labtest")
    a.run("mkdir -p /srv/kept /srv/before; echo 1 > /srv/kept/file; ln /srv/kept/file /srv/kept/link")
    site.save("first")
    a.wait_ssh()
    a.run("rm -r /srv/before; echo 2 > /srv/kept/file; mv /srv/kept /srv/renamed; touch /srv/after")
    site.save("second")
    site.restore("first")
    assert a.run("ls /srv; cat /srv/kept/file").stdout.split()[-1] == "1"
    assert {"before", "kept"} <= set(a.run("ls /srv").stdout.split())
    site.restore("second")
    assert a.run("cat /srv/renamed/file").stdout.strip() == "2"
    assert not {"before", "kept"} & set(a.run("ls /srv").stdout.split())
    a.cut_link()
    site.restore("bare")
    assert not a.link_cut
    assert a.run("ls /srv").stdout == ""
    with pytest.raises(ConfigurationError, match=r"no saved state 'third'\n  It has: bare, first, second\."):
        site.restore("third")
    for bad in ("bare", "../x", ""):
        with pytest.raises(ConfigurationError, match="cannot be the name of a saved state"):
            site.save(bad)


def test_a_new_control_key_is_let_in_and_the_old_one_no_longer(lab: Lab, home: Home, a: LabHost) -> None:
    old = home.ssh_key.with_name("old")
    home.ssh_key.rename(old)
    lab.up(["labtest"])
    assert a.ssh("true").returncode == 0
    assert a.run("wc -l < /home/rollout/.ssh/authorized_keys").stdout.strip() == "1"


def test_one_more_host_on_the_bridge(lab: Lab) -> None:
    extra = lab.add_host("labtest", "labtest-c", IPv4Address("198.19.236.40"))
    assert extra.ssh("hostname").stdout.strip() == "labtest-c"
    assert reaches(extra, "198.19.236.11")
    assert "labtest-c" in {row.host for row in lab.status()}
    with pytest.raises(ConfigurationError, match="cannot be a host of site labtest"):
        lab.add_host("labtest", "elsewhere-c", IPv4Address("198.19.236.41"))
    with pytest.raises(ConfigurationError, match=r"made with 198\.19\.236\.40"):
        lab.add_host("labtest", "labtest-c", IPv4Address("198.19.236.42"))


def test_two_commands_on_one_site_are_refused(lab: Lab) -> None:
    with hold(["labtest"]), pytest.raises(HeldError, match=r"site labtest is being worked on .*process \d+"):
        lab.up(["labtest"])


def test_another_home_cannot_take_a_standing_site(lab: Lab, tmp_path: Path) -> None:
    stranger = Lab(Home(tmp_path), lab.inventory)
    with pytest.raises(ConfigurationError, match=f"already stands for the home {lab.home.root}"):
        stranger.up(["labtest"])


def test_unknown_names_are_refused_with_those_that_exist(lab: Lab) -> None:
    with pytest.raises(ConfigurationError, match=r"no site nowhere\n  It has: labtest"):
        lab.up(["nowhere"])
    with pytest.raises(ConfigurationError, match="no site nowhere"):
        lab.down(["nowhere"])
    with pytest.raises(ConfigurationError, match="no host labtest-x"):
        lab.host("labtest-x")


def test_hosts_outlive_the_command_and_down_leaves_nothing(lab: Lab, home: Home, inventory: Path) -> None:
    def rollout(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from rollout.cli import main; main()", "lab", *arguments],
            env={**os.environ, "ROLLOUT_HOME": str(home.root)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout + done.stderr

    try:
        assert "labother-b: up at 198.19.237.12" in rollout("up", "--site", "labother", "-i", str(inventory))
        assert lab.host("labother-a").ssh("true").returncode == 0
        assert "labother can be restored to: bare" in rollout("status")
        lab.host("labother-a").run("echo stays > /srv/file")
        rollout("save", "--site", "labother")
        rollout("down", "--site", "labother")
        assert remains("labother") == 0
        rollout("restore", "--site", "labother")
        assert lab.host("labother-a").run("cat /srv/file").stdout == "stays\n"
    finally:
        rollout("down", "--site", "labother", "--purge")
    assert remains("labother") == 0
    assert not (home.root / "lab/sites/labother").exists()
    assert "labother" not in home.known_hosts.read_text()


def test_hosts_whose_home_was_emptied_are_replaced(other: Lab) -> None:
    lost = other.host("labother-a")
    key = lost.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
    subprocess.run(["rm", "-r", str(other.home.root / "lab/sites/labother")], check=True)
    assert "labother" in other.standing()
    other.up(["labother"])
    assert other.host("labother-a").run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout != key
    subprocess.run(["rm", "-r", str(other.home.root / "lab/sites/labother")], check=True)
    other.down(["labother"])
    assert remains("labother") == 0


def test_an_aborted_up_is_finished_by_the_next(other: Lab) -> None:
    host = other.host("labother-b")
    host.cut_power()
    (host.folder / "host.json").unlink()
    (host.folder / "identity").rename(host.folder / "identity.partial")
    other.host("labother-s").cut_power()
    subprocess.run(["ip", "link", "delete", bridge_name("labother")], check=True)
    subprocess.run(["nft", "delete", "table", "inet", "rollout_lab"], check=True)
    other.up(["labother"])
    assert all(row.answers for row in other.status(["labother"]))
