"""A certification authority of the tests' own, people with certificates of it, and PDFs they sign."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


class Authority:
    """An issuer of certificates for signatures and time stamps."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        builder = _certificate(self.name, self.name, self.key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(self, name: str, *, stamps: bool = False, days: int = 365) -> Any:
        """A certificate and its key, as pyHanko takes them."""
        from asn1crypto import keys
        from asn1crypto import x509 as asn1

        # The time stamp service of the tests can RSA only.
        key: Any = rsa.generate_private_key(65537, 2048) if stamps else ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(_name(name), self.name, key.public_key(), days)
        builder = builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        if stamps:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        certificate = builder.sign(self.key, hashes.SHA256())
        private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return (
            asn1.Certificate.load(certificate.public_bytes(Encoding.DER)),
            keys.PrivateKeyInfo.load(private),
            asn1.Certificate.load(self.certificate.public_bytes(Encoding.DER)),
        )


def signed(pdf: bytes, authority: Authority, name: str, *, field: str = "Signatur1", stamper: Any = None) -> bytes:
    """The PDF signed by somebody with a certificate of `authority`."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    certificate, key, issuer = authority.issue(name)
    store: Any = _store()
    store.register(issuer)
    signer = signers.SimpleSigner(certificate, key, store)
    meta = signers.PdfSignatureMetadata(
        field_name=field, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    out = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=signer, timestamper=stamper)
    return bytes(out.getvalue())


def stamper(authority: Authority, at: datetime) -> Any:
    """A time stamp service of `authority` whose clock stands still."""
    from pyhanko.sign.timestamps import DummyTimeStamper

    certificate, key, issuer = authority.issue("Zeitstempeldienst", stamps=True)
    store: Any = _store()
    store.register(issuer)
    return DummyTimeStamper(certificate, key, store, fixed_dt=at)


def _store() -> Any:
    from pyhanko_certvalidator import registry

    made: Any = registry.SimpleCertificateStore
    return made()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: Any, days: int = 3650) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(BEGINS + timedelta(days=days))
    )


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})
