"""The part of the chip that survives resets and deep sleep: a file that one process leaves the
next.

rtc.bin in the folder $HEDGE_SIM_DIR, little-endian:
    0   4  magic b"HRTC"
    4   1  reset cause of the next start (machine.*_RESET)
    5   1  0
    6   2  n, length of the RTC memory
    8   8  offset of the RTC against device time, signed ms
    16  8  when to wake, ms since 1970 in device time; 0 if not asleep or without end
    24  n  RTC memory
    24+n 4 CRC-32 of all before

It exists only between two runs: it is written when the simulated board resets or sleeps, and taken
away when the next run has read it. So a process that is killed leaves none, and the next start is
a power-on with empty memory, as after a real power cut.
"""

import os
import struct
from binascii import crc32

_HEAD = "<4sBBHqq"
_MAGIC = b"HRTC"


def path():
    """Where rtc.bin is, or None if $HEDGE_SIM_DIR is not set: then nothing is retained."""
    folder = os.getenv("HEDGE_SIM_DIR")
    return folder + "/rtc.bin" if folder else None


def save(cause, memory, offset_ms, wake_ms):
    """Write the file for the next start; does nothing without a folder."""
    name = path()
    if name is None:
        return
    data = struct.pack(_HEAD, _MAGIC, cause, 0, len(memory), offset_ms, wake_ms) + memory
    with open(name + ".new", "wb") as f:
        f.write(data + struct.pack("<I", crc32(data)))
    os.rename(name + ".new", name)


def read(name):
    """(cause, memory, offset_ms, wake_ms) of that file, or None if there is none or it is
    damaged."""
    try:
        with open(name, "rb") as f:
            data = f.read()
    except OSError:
        return None  # power-on: nobody left one
    size = struct.calcsize(_HEAD)
    if len(data) < size + 4 or struct.unpack("<I", data[-4:])[0] != crc32(data[:-4]):
        return None
    magic, cause, _, length, offset_ms, wake_ms = struct.unpack(_HEAD, data[:size])
    if magic != _MAGIC or length != len(data) - size - 4:
        return None
    return cause, data[size:-4], offset_ms, wake_ms


def take():
    """Read the file and remove it; None at power-on."""
    name = path()
    state = read(name) if name else None
    if state:
        os.remove(name)
    return state
