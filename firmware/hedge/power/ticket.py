"""What a node takes with it through a deep sleep: one map in memory that outlives the sleep.

    leave(board, path, values)      # before; False: this port keeps nothing
    values = take(board, path)      # after a wake-up, once: None at any other start

It lies in RTC memory (2 KB on ESP32), CBOR behind a CRC-32. What does not fit there lies in a
file, and RTC memory holds only the file's number: a file that an earlier sleep left behind is
never taken for the present one. It is used once: a crash after waking, a reset, a power cut start
anew from what the key-value file holds.
"""

import binascii
import os
import struct

from ..core import log
from ..core.errors import FrameError, StoreError
from ..store import kv
from ..wire import cbor, cbor_write

_MAX_BYTES = 2048  # RTC user memory of ESP32: MICROPY_HW_RTC_USER_MEM_MAX
_NUMBER = "ticket"


def leave(board, path, values):
    """Keep `values` (str keys, CBOR values) until the next start. path: of the file, if needed.

    False if the port keeps nothing or the file cannot be written; then nothing is left behind.
    """
    data = _packed(values)
    if len(data) > _MAX_BYTES:
        number = int.from_bytes(os.urandom(3), "little")
        values[_NUMBER] = number
        try:
            kv.write_map(path, values, kv.disk_needs_flush())
        except (OSError, StoreError) as error:
            log.warn("power", "%s: %r", path, error)
            return False
        data = _packed({_NUMBER: number})
    return board.retain(data)


def take(board, path):
    """The values that leave() kept, if this start is a wake-up from deep sleep, else None."""
    data = board.retained()
    if data:
        board.retain(b"")
    if not data or board.reset_cause() != "deepsleep":
        return None
    values = _unpacked(data)
    if values is None or len(values) > 1:
        return values
    return _from_file(path, values.get(_NUMBER))


def _from_file(path, number):
    try:
        values = kv.read_map(path)
    except StoreError as error:
        log.warn("power", "%s", error)
        return None
    return values if values and values.get(_NUMBER) == number else None


def _packed(values):
    out = bytearray(4)
    cbor_write.write_item(out, values)
    struct.pack_into("<I", out, 0, binascii.crc32(memoryview(out)[4:]))
    return bytes(out)


def _unpacked(data):
    if len(data) < 5 or struct.unpack("<I", data[:4])[0] != binascii.crc32(data[4:]):
        return None
    try:
        return cbor.decode(data[4:])
    except FrameError:
        return None
