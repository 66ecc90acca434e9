"""The last bytes of a frame or an ack: CRC where the peer is trusted, MAC where it is not.

CRC: low 16 bits of the CRC-32 of IEEE 802.3 (zlib), big-endian, over all bytes before it.
MAC: first 8 bytes of HMAC-SHA256 over all bytes before it, then the context.
"""

import binascii

from ..core.errors import FrameError
from .mac import MAC_BYTES, hmac_sha256, same

FLAG_MAC = 0x80
_CRC_BYTES = 2


def seal_bytes(key):
    """Length of the seal: with a key a MAC, without one a CRC."""
    return MAC_BYTES if key else _CRC_BYTES


def add(out, key, context=b""):
    """Append the seal to the bytearray out, whose flags byte already says which it is."""
    out.extend(_mac(out, key, context) if key else _crc(out))


def check(data, signed, key, context=b""):
    """Position where the seal starts. data: bytes; signed: what its flags byte says.

    Raises FrameError if the seal is wrong, if there is a key and no MAC (or anyone could leave it
    out), or a MAC and no key.
    """
    if bool(key) != signed:
        raise FrameError("not signed, but a key is set" if key else "signed, but no key is set")
    end = len(data) - seal_bytes(key)
    if end < 2:
        raise FrameError("cut short")
    body = data[:end]
    expected = _mac(body, key, context) if key else _crc(body)
    if not same(data[end:], expected):
        raise FrameError("wrong MAC" if key else "wrong CRC")
    return end


def _crc(body):
    return (binascii.crc32(body) & 0xFFFF).to_bytes(2, "big")


def _mac(body, key, context):
    return hmac_sha256(key, bytes(body) + context)[:MAC_BYTES]
