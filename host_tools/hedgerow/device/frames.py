"""Frames of a deploy: what firmware/boot/hedge_link.py receives. Sans-io: bytes out."""

import json
import zlib
from collections.abc import Iterator

# Of one frame, before it is packed: the board holds three copies. Its deflate window is 4 KB.
BLOCK_BYTES = 4096
_WINDOW_BITS = -12
FRAMES_VERSION = 3  # FRAMES of hedge_link.py
_CTRL_C = 3
# Cycles of an RP2040 at the emulated Pico: 1070 to receive a byte over USB, 576 to inflate one.
_WORTH_DEFLATING = 0.45


def frame(kind: str, body: bytes) -> bytes:
    """kind: one of F D Z C R M Q. No byte of it is 3, which would interrupt the board."""
    patches = b"".join(_patch(at) for at, byte in enumerate(body) if byte == _CTRL_C)
    body = body.replace(b"\x03", b"\x02")
    head = f"{kind}{len(body):04x}{len(patches) // 2:04x}{zlib.crc32(body + patches):08x}\n"
    return head.encode() + body + patches


def _patch(position: int) -> bytes:
    return bytes((128 | position >> 7, 128 | position & 127))


def message(kind: str, value: object) -> bytes:
    """JSON has no byte 3, so that it may be longer than a patch can point to."""
    return frame(kind, json.dumps(value, separators=(",", ":")).encode())


def file_frames(path: str, data: bytes, offset: int = 0) -> Iterator[bytes]:
    """The frames that put data into path, when its first offset bytes are there."""
    yield message("F", [path, len(data), offset, zlib.crc32(data)])
    for start in range(offset, len(data), BLOCK_BYTES):
        yield data_frame(data[start : start + BLOCK_BYTES])


def data_frame(block: bytes) -> bytes:
    """Deflated if that saves the board more time than it costs."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW_BITS)
    packed = packer.compress(block) + packer.flush()
    plain, deflated = frame("D", block), frame("Z", packed)
    return deflated if len(deflated) < _WORTH_DEFLATING * len(plain) else plain
