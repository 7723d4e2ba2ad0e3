"""What a converged site must be, asked of the hosts themselves."""

import json

import pytest
from testinfra.host import Host

SERVICES = {
    "a": ["etcd", "patroni", "pgbackrest", "haproxy", "keepalived", "jincai@1", "nftables", "ssh"],
    "s": ["etcd", "pgbackrest", "nginx", "nftables", "ssh", "pgbackrest-full.timer"],
}
SERVICES["b"] = SERVICES["a"]


def letter(host: Host) -> str:
    name: str = host.check_output("hostname")
    return name[-1]


def test_services_run_and_start_with_the_host(host: Host) -> None:
    for name in SERVICES[letter(host)]:
        service = host.service(name)
        assert service.is_running, name
        assert service.is_enabled, name


def test_nothing_failed(host: Host) -> None:
    with host.sudo():
        assert host.check_output("systemctl --failed --no-legend --plain") == ""


def test_etcd_has_three_members_and_wants_a_certificate(host: Host) -> None:
    with host.sudo():
        tls = "--cacert=/etc/rollout/ca.pem --cert=/etc/etcd/tls/host.pem --key=/etc/etcd/tls/host.key"
        said = host.check_output(
            f"ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 {tls} member list"
        )
        assert said.count("started") == 3
        assert host.run("curl -sk --max-time 3 https://127.0.0.1:2379/v2/keys").rc != 0


def test_one_leader_and_one_synchronous_standby(host: Host) -> None:
    if letter(host) == "s":
        pytest.skip("no database on the storage device")
    with host.sudo():
        url = f"https://{host.check_output('hostname')}:8008/cluster"
        cluster = json.loads(host.check_output(f"curl -s --cacert /etc/rollout/ca.pem {url}"))
    assert sorted(member["role"] for member in cluster["members"]) == ["leader", "sync_standby"]


def test_the_database_speaks_tls_only(host: Host) -> None:
    if letter(host) == "s":
        pytest.skip("no database on the storage device")
    refused = host.run("psql 'host=127.0.0.1 user=jincai_app dbname=jincai sslmode=disable' -c 'SELECT 1'")
    assert refused.rc != 0


def test_the_firewall_drops_by_default(host: Host) -> None:
    with host.sudo():
        rules = host.check_output("nft list table inet rollout")
    assert rules.count("policy drop") == 3


def test_secrets_are_readable_by_their_service_only(host: Host) -> None:
    with host.sudo():
        loose = host.check_output(
            "find /etc/etcd/tls /etc/patroni /etc/pgbackrest /etc/pgbackrest.conf /etc/jincai "
            "/etc/haproxy/tls -type f -perm /o=rwx 2>/dev/null || true"
        )
    assert [path for path in loose.split() if "dcs.yml" not in path and "config.yml.in" not in path] == []


def test_root_cannot_log_in_and_passwords_do_not_count(host: Host) -> None:
    with host.sudo():
        settings = host.check_output("sshd -T")
    assert "permitrootlogin no" in settings
    assert "passwordauthentication no" in settings


def test_the_platform_is_confined(host: Host) -> None:
    if letter(host) == "s":
        pytest.skip("no platform on the storage device")
    with host.sudo():
        said = host.check_output("systemctl show jincai@1 -p ProtectSystem -p NoNewPrivileges -p User")
    assert "ProtectSystem=strict" in said
    assert "NoNewPrivileges=yes" in said
    assert "User=jincai" in said
