from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from subprocess import run

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from rollout.secrets import pki

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SUBJECT = pki.Subject("liuzhou-a", (IPv4Address("198.19.9.11"), IPv4Address("198.19.9.10")))


@pytest.fixture(scope="module")
def ca() -> pki.Pair:
    return pki.new_ca("liuzhou", NOW)


def test_openssl_accepts_the_chain_for_both_purposes(ca: pki.Pair, tmp_path: Path) -> None:
    leaf = pki.new_leaf(ca, SUBJECT, NOW)
    (tmp_path / "ca.pem").write_text(ca.certificate)
    (tmp_path / "leaf.pem").write_text(leaf.certificate)
    for purpose in ("sslserver", "sslclient"):
        moment = str(int((NOW + timedelta(days=1)).timestamp()))
        names = ["-verify_hostname", "liuzhou-a", "-verify_ip", "198.19.9.10"]
        verify = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "-purpose", purpose]
        result = run(
            [*verify, "-attime", moment, *names, "leaf.pem"], cwd=tmp_path, capture_output=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_names_addresses_loopback_and_both_usages(ca: pki.Pair) -> None:
    certificate = x509.load_pem_x509_certificate(pki.new_leaf(ca, SUBJECT, NOW).certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["liuzhou-a", "localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == [
        "198.19.9.11",
        "198.19.9.10",
        "127.0.0.1",
    ]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert certificate.not_valid_after_utc == NOW + timedelta(days=825)


def test_the_ca_lasts_ten_years_and_may_not_issue_cas(ca: pki.Pair) -> None:
    certificate = x509.load_pem_x509_certificate(ca.certificate.encode())
    limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert limits.value.ca
    assert limits.value.path_length == 0
    assert certificate.subject.rfc4514_string() == "CN=liuzhou issuing CA"
    assert certificate.not_valid_after_utc == NOW + timedelta(days=3650)


def test_a_leaf_never_outlives_its_ca(ca: pki.Pair) -> None:
    late = NOW + timedelta(days=3400)
    certificate = x509.load_pem_x509_certificate(pki.new_leaf(ca, SUBJECT, late).certificate.encode())
    assert certificate.not_valid_after_utc == NOW + timedelta(days=3650)


@pytest.mark.parametrize(("days", "holds"), [(0, True), (825 - 60, True), (825 - 59, False), (900, False)])
def test_a_leaf_holds_until_sixty_days_before_its_end(ca: pki.Pair, days: int, holds: bool) -> None:
    leaf = pki.new_leaf(ca, SUBJECT, NOW)
    assert pki.leaf_holds(leaf, ca, SUBJECT, NOW + timedelta(days=days)) is holds


def test_a_leaf_of_other_names_another_ca_or_another_key_does_not_hold(ca: pki.Pair) -> None:
    leaf = pki.new_leaf(ca, SUBJECT, NOW)
    moved = pki.Subject("liuzhou-a", (IPv4Address("198.19.9.99"), IPv4Address("198.19.9.10")))
    assert not pki.leaf_holds(leaf, ca, moved, NOW)
    assert not pki.leaf_holds(leaf, pki.new_ca("liuzhou", NOW), SUBJECT, NOW)
    assert not pki.leaf_holds(pki.Pair(leaf.certificate, ca.key), ca, SUBJECT, NOW)
    assert not pki.leaf_holds(pki.Pair("damaged", leaf.key), ca, SUBJECT, NOW)


def test_repr_hides_the_key(ca: pki.Pair) -> None:
    assert "PRIVATE KEY" not in repr(ca)


def test_what_faces_users_is_good_for_a_server_only(ca: pki.Pair) -> None:
    web = pki.new_leaf(ca, SUBJECT, NOW, client=False)
    certificate = x509.load_pem_x509_certificate(web.certificate.encode())
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH}
    assert pki.leaf_holds(web, ca, SUBJECT, NOW, client=False)
    assert not pki.leaf_holds(web, ca, SUBJECT, NOW)
    assert not pki.leaf_holds(pki.new_leaf(ca, SUBJECT, NOW), ca, SUBJECT, NOW, client=False)
