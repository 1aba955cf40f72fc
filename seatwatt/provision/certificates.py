"""A local certificate authority, and the certificates it signs (X.509, RFC 5280; keys on P-256)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from seatwatt.contract.errors import InputError

CA_DAYS = 3650
SERVER_DAYS = 825
CLIENT_DAYS = 825
# Clocks at sites are not all right to the minute.
_BACKDATED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def make_authority(name: str, now: datetime) -> Pair:
    """A self-signed authority that may sign certificates of servers and clients, no others."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), _subject(name)
    builder = (_builder(subject, subject, key.public_key(), now, CA_DAYS)
               .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
               .add_extension(_usage(signs=True), critical=True))
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: Pair, hosts: Sequence[str], now: datetime,
                 days: int = SERVER_DAYS) -> Pair:
    """The broker's certificate, good for `hosts`: names and addresses, the first its common name.

    InputError for what is neither.
    """
    names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
    return _issue(authority, hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, now, days, names)


def issue_client(authority: Pair, name: str, now: datetime, days: int = CLIENT_DAYS) -> Pair:
    """The certificate of the account `name`."""
    return _issue(authority, name, ExtendedKeyUsageOID.CLIENT_AUTH, now, days)


def expires_at(certificate: bytes) -> datetime:
    """When it ends (UTC). InputError when it is no certificate."""
    return _load(certificate).not_valid_after_utc


def hosts_of(certificate: bytes) -> list[str]:
    """The names and addresses it is good for."""
    names = _load(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(each.value) for each in names.value]


def _load(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate)
    except ValueError:
        raise InputError("certificate", "it cannot be read", "a certificate in PEM") from None


def _issue(authority: Pair, name: str, purpose: x509.ObjectIdentifier, now: datetime, days: int,
           names: x509.SubjectAlternativeName | None = None) -> Pair:
    signer, key = _load(authority.certificate), ec.generate_private_key(ec.SECP256R1())
    signing_key = serialization.load_pem_private_key(authority.key, None)
    if not isinstance(signing_key, ec.EllipticCurvePrivateKey):
        raise InputError("authority", "its key is of another kind", "a key on an elliptic curve")
    builder = (_builder(_subject(name), signer.subject, key.public_key(), now, days)
               .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
               .add_extension(_usage(signs=False), critical=True)
               .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                   signing_key.public_key()), critical=False))
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return _pair(builder.sign(signing_key, hashes.SHA256()), key)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey,
             now: datetime, days: int) -> x509.CertificateBuilder:
    begins = now.astimezone(UTC).replace(microsecond=0) - _BACKDATED
    ends = begins + _BACKDATED + timedelta(days=days)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(begins, ends - _BACKDATED)).not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False)


def _subject(name: str) -> x509.Name:
    # A common name has room for 64 characters; what identifies an account is its user name.
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Seatwatt"),
                      x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _alternative(host: str) -> x509.GeneralName:
    with suppress(ValueError):  # then it is a name
        return x509.IPAddress(ip_address(host))
    labels = host.removeprefix("*.").split(".")
    if not all(label and label.isascii() and label.replace("-", "").isalnum()
               for label in labels):
        raise InputError("--host", f"{host!r} is neither a name nor an address",
                         "such as broker.example.org or 192.0.2.7")
    return x509.DNSName(host)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()))
