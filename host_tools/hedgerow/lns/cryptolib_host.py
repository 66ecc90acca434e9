"""MicroPython's `cryptolib` for CPython: AES in ECB and CBC from the package `cryptography`.

install()   # before the first import of hedge.net.lorawan.crypto
"""

import sys

from hedgerow.errors import ToolError

MODE_ECB = 1
MODE_CBC = 2


class aes:  # noqa: N801  MicroPython's name
    """aes(key, 1) or aes(key, 2, iv): encrypt(blocks) and decrypt(blocks), into out if given."""

    def __init__(self, key: bytes, mode: int, iv: bytes = b""):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if mode not in (MODE_ECB, MODE_CBC):
            raise ValueError(f"mode {mode}: only ECB (1) and CBC (2)")
        chosen = modes.ECB() if mode == MODE_ECB else modes.CBC(bytes(iv))
        self._cipher = Cipher(algorithms.AES(bytes(key)), chosen)

    def encrypt(self, data: bytes, out: bytearray | None = None) -> bytes | bytearray:
        return _into(out, self._cipher.encryptor().update(bytes(data)))

    def decrypt(self, data: bytes, out: bytearray | None = None) -> bytes | bytearray:
        return _into(out, self._cipher.decryptor().update(bytes(data)))


def _into(out: bytearray | None, result: bytes) -> bytes | bytearray:
    if out is None:
        return result
    out[: len(result)] = result
    return out


def install() -> None:
    """Make `import cryptolib` find this module. Raises ToolError if `cryptography` is missing."""
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise ToolError(
            "LoRaWAN needs AES from the package `cryptography`: pip install 'hedgerow[lns]'"
        ) from error
    sys.modules.setdefault("cryptolib", sys.modules[__name__])
