"""A TLS client context from a file of trusted certificates.

    context = client_context("ca.pem")
    link = MqttLink("broker.farm", 8883, "bed-3", tls=context)

MicroPython before 1.29 takes certificates as DER only, so PEM is unpacked here. The context always
requires a certificate that the file vouches for and whose name fits; there is no switch to skip
that. Validity dates are checked only by ports whose mbedTLS has a clock.
"""

import binascii

from ..core.errors import ConfigError

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"


def der_certificates(data):
    """List of DER certificates in the bytes of a PEM or DER file. ValueError if there is none."""
    if data[:1] == b"\x30":  # ASN.1 SEQUENCE: DER already
        return [data]
    found = []
    for part in data.split(_BEGIN)[1:]:
        body, end, _ = part.partition(_END)
        if not end:
            raise ValueError("certificate without END line")
        found.append(binascii.a2b_base64(body))
    if not found:
        raise ValueError("no certificate in it")
    return found


def client_context(ca):
    """tls.SSLContext that trusts the certificates of the file `ca`. Raises ConfigError."""
    import tls

    if not ca:
        raise ConfigError("uplink tls: needs `ca`, the file of the trusted certificate")
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    try:
        with open(ca, "rb") as f:
            for der in der_certificates(f.read()):
                context.load_verify_locations(der)
    except (OSError, ValueError) as e:
        raise ConfigError("uplink ca %s: %r" % (ca, e))
    return context
