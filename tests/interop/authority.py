"""A certificate authority for tests: needs the Python package cryptography."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """pem: its certificate."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name
        self.pem = self._signed(name, self._key.public_key(), 30, ca=True)

    def issue(self, folder: Path, stem: str, name: str, days: int = 30) -> None:
        """Write <stem>.pem and <stem>.key for a server of that name; days < 0: expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        how = form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        (folder / f"{stem}.pem").write_bytes(self._signed(name, key.public_key(), days))
        (folder / f"{stem}.key").write_bytes(key.private_bytes(*how))

    def _signed(
        self, name: str, key: ec.EllipticCurvePublicKey, days: int, ca: bool = False
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder(_named(self._name), _named(name), key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(form.Encoding.PEM)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
