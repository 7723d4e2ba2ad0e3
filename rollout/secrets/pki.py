"""One issuing CA per site and one certificate per host, for TLS between the site's own services.

Every certificate serves as server and as client: etcd, Patroni and PostgreSQL need both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=825)
RENEW_BEFORE = timedelta(days=60)
# Clocks of new hosts may run behind until chrony has set them.
_BACKDATE = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM text."""

    certificate: str
    key: str = field(repr=False)

    def load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Both parsed; ValueError if they are damaged or do not belong together."""
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        key = serialization.load_pem_private_key(self.key.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise ValueError("certificate and key do not belong together")
        return certificate, key


@dataclass(frozen=True)
class Subject:
    """Whom a host's certificate names."""

    name: str
    addresses: tuple[IPv4Address, ...]

    def alternative_names(self) -> list[x509.GeneralName]:
        """What a client may call this host: its name, its addresses and the loopback."""
        addresses = [*self.addresses, ip_address("127.0.0.1")]
        return [
            x509.DNSName(self.name),
            x509.DNSName("localhost"),
            *(x509.IPAddress(address) for address in dict.fromkeys(addresses)),
        ]


def new_ca(site: str, now: datetime) -> Pair:
    """A self-signed issuing CA that may not issue further CAs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{site} issuing CA")
    builder = (
        _builder(name, name, key.public_key(), now, now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificate_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def new_leaf(ca: Pair, subject: Subject, now: datetime, *, client: bool = True) -> Pair:
    """A host's certificate, issued by ``ca``; it never outlives the CA.

    ``client``: whether it also proves the host to other services. What faces users must not have that:
    whoever took it over could then speak to etcd and the repository.
    """
    issuer, issuer_key = ca.load()
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + LEAF_LIFE, issuer.not_valid_after_utc)
    builder = (
        _builder(_name(subject.name), issuer.subject, key.public_key(), now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(_purposes(client), critical=False)
        .add_extension(x509.SubjectAlternativeName(subject.alternative_names()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def ca_holds(ca: Pair, now: datetime) -> bool:
    """Whether the CA is whole and has at least 60 days left."""
    try:
        certificate, _ = ca.load()
    except ValueError:
        return False
    return _lasts(certificate, now)


def leaf_holds(leaf: Pair, ca: Pair, subject: Subject, now: datetime, *, client: bool = True) -> bool:
    """Whether ``leaf`` is whole, issued by ``ca``, names exactly ``subject`` and has 60 days left."""
    try:
        certificate, _ = leaf.load()
        certificate.verify_directly_issued_by(ca.load()[0])
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    fits = _same(list(names), subject.alternative_names()) and purposes == _purposes(client)
    return fits and _lasts(certificate, now)


def _purposes(client: bool) -> x509.ExtendedKeyUsage:
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return x509.ExtendedKeyUsage(both if client else both[:1])


def _same(one: Sequence[x509.GeneralName], other: Sequence[x509.GeneralName]) -> bool:
    return set(one) == set(other)


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    return (
        certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now.astimezone(UTC) >= RENEW_BEFORE
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(until)
    )


def _usage(*, digital_signature: bool = False, certificate_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )
