"""Frames of a deploy: what firmware/boot/hedge_link.py receives. Sans-io: bytes out."""

import json
import zlib
from collections.abc import Iterator

# Of one frame, before it is packed: the board holds three copies. Its deflate window is 4 KB.
BLOCK_BYTES = 4096
_WINDOW_BITS = -12


def frame(kind: str, body: bytes) -> bytes:
    """kind: one of F D Z C R M Q. No byte of it is 3, which would interrupt the board."""
    body = escape(body)
    return b"%s%04x%08x\n" % (kind.encode(), len(body), zlib.crc32(body)) + body


def escape(body: bytes) -> bytes:
    """Byte 3 becomes 16 65, and byte 16 becomes 16 66."""
    return body.replace(b"\x10", b"\x10B").replace(b"\x03", b"\x10A")


def message(kind: str, value: object) -> bytes:
    return frame(kind, json.dumps(value, separators=(",", ":")).encode())


def file_frames(path: str, data: bytes, offset: int = 0) -> Iterator[bytes]:
    """The frames that put data into path, when its first offset bytes are there."""
    yield message("F", [path, len(data), offset, zlib.crc32(data)])
    for start in range(offset, len(data), BLOCK_BYTES):
        yield data_frame(data[start : start + BLOCK_BYTES])


def data_frame(block: bytes) -> bytes:
    """Deflated if that is shorter."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW_BITS)
    packed = packer.compress(block) + packer.flush()
    return frame("Z", packed) if len(packed) < len(block) else frame("D", block)
