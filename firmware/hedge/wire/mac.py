"""HMAC-SHA256, RFC 2104 and FIPS 198-1: MicroPython has hashlib but no hmac."""

import hashlib

MAC_BYTES = 8  # truncated: 64 bits, the shortest that RFC 8152 (HMAC 256/64) registers
_BLOCK_BYTES = 64


def hmac_sha256(key, message):
    """32 bytes. key, message: bytes-like of any length."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    inner = bytearray(0x36 for _ in range(_BLOCK_BYTES))
    outer = bytearray(0x5C for _ in range(_BLOCK_BYTES))
    for i, byte in enumerate(key):
        inner[i] ^= byte
        outer[i] ^= byte
    digest = hashlib.sha256(inner)
    digest.update(message)
    result = hashlib.sha256(outer)
    result.update(digest.digest())
    return result.digest()


def same(a, b):
    """True if equal; takes as long for a near miss as for a far one. a, b: bytes-like."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0
