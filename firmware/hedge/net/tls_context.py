"""A TLS client context from a file of trusted certificates, and the node's own if it has one.

    context = client_context("ca.pem")
    context = client_context("ca.pem", "node.pem", "node.key")  # the broker asks who we are
    link = MqttLink("broker.farm", 8883, "bed-3", tls=context)

MicroPython before 1.29 takes certificates as DER only, so PEM is unpacked here. The context always
requires a certificate that the file vouches for and whose name fits; there is no switch to skip
that. Validity dates are checked only by ports whose mbedTLS has a clock.
"""

import binascii

from ..core.errors import ConfigError


def der_blocks(data, ending):
    """List of the DER contents of the PEM blocks whose label ends so, in the bytes of a file.

    ending: "CERTIFICATE", or "PRIVATE KEY" for those of PKCS#8, EC and RSA alike. A file that is
    DER already is one block. ValueError if there is none.
    """
    if data[:1] == b"\x30":  # ASN.1 SEQUENCE: DER already
        return [data]
    found = []
    for part in data.split(b"-----BEGIN ")[1:]:
        label, _, rest = part.partition(b"-----")
        body, end, _ = rest.partition(b"-----END ")
        if not end:
            raise ValueError("block without END line")
        if label.endswith(ending.encode()):
            found.append(binascii.a2b_base64(body))
    if not found:
        raise ValueError("no %s in it" % ending)
    return found


def client_context(ca, cert=None, key=None, dtls=False):
    """tls.SSLContext that trusts the certificates of the file `ca`. Raises ConfigError.

    cert, key: files of the node's own certificate and its private key, unencrypted, or None.
    """
    import tls

    if not ca:
        raise ConfigError("uplink tls: needs `ca`, the file of the trusted certificate")
    context = tls.SSLContext(tls.PROTOCOL_DTLS_CLIENT if dtls else tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    for der in _file_blocks("ca", ca, "CERTIFICATE"):
        _load("ca", ca, context.load_verify_locations, der)
    if cert or key:
        own = _file_blocks("cert", cert, "CERTIFICATE")[0]
        private = _file_blocks("cert_key", key, "PRIVATE KEY")[0]
        _load("cert_key", key, context.load_cert_chain, own, private)
    return context


def _file_blocks(name, path, ending):
    if not path:
        raise ConfigError("uplink %s: cert and cert_key belong together" % name)
    try:
        with open(path, "rb") as f:
            return der_blocks(f.read(), ending)
    except (OSError, ValueError) as e:
        raise ConfigError("uplink %s %s: %r" % (name, path, e))


def _load(name, path, load, *ders):
    try:
        load(*ders)
    except (OSError, ValueError) as e:
        raise ConfigError("uplink %s %s: %r" % (name, path, e))
