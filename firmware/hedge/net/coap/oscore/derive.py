"""Keys and nonces from a master secret (RFC 8613 3.2, 5.2), by HKDF-SHA256 (RFC 5869)."""

from ....core.errors import ConfigError
from ....wire import cbor
from ....wire.mac import hmac_sha256
from .ccm import NONCE_BYTES

ALGORITHM = 10  # AES-CCM-16-64-128 of the COSE registry
KEY_BYTES = 16
MAX_ID_BYTES = NONCE_BYTES - 6
_HASH_BYTES = 32


def hkdf_sha256(secret, salt, info, size):
    """size bytes, at most 8,160. An empty salt means 32 zeros (RFC 5869 2.2)."""
    key = hmac_sha256(salt or bytes(_HASH_BYTES), secret)
    found = last = b""
    number = 0
    while len(found) < size:
        number += 1
        last = hmac_sha256(key, last + info + bytes((number,)))
        found += last
    return found[:size]


def key_of(secret, salt, identity, id_context):
    """The sender or recipient key of that identity, 16 bytes."""
    return _output(secret, salt, identity, id_context, "Key", KEY_BYTES)


def common_iv(secret, salt, id_context):
    """13 bytes."""
    return _output(secret, salt, b"", id_context, "IV", NONCE_BYTES)


def _output(secret, salt, identity, id_context, kind, size):
    info = cbor.encode([identity, id_context, ALGORITHM, kind, size])
    return hkdf_sha256(secret, salt, info, size)


def nonce(iv, identity, piv):
    """13 bytes: length of the id, the id, the partial IV, XORed with the common IV (5.2)."""
    out = bytearray(NONCE_BYTES)
    out[0] = len(identity)
    at = 1 + MAX_ID_BYTES - len(identity)
    out[at : at + len(identity)] = identity
    out[NONCE_BYTES - len(piv) :] = piv
    for i in range(NONCE_BYTES):
        out[i] ^= iv[i]
    return out


def check_id(name, identity):
    """Raises ConfigError unless it fits the nonce."""
    if len(identity) > MAX_ID_BYTES:
        raise ConfigError("oscore %s: %d bytes, at most %d" % (name, len(identity), MAX_ID_BYTES))
