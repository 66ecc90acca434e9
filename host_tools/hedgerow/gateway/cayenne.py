"""Cayenne LPP, what many LoRaWAN devices send: bytes in, SenML entries out.

    decode(bytes.fromhex("03670110"))  ->  [("ch3.temperature", "Cel", 27.2)]

A message is a row of (channel, type, big-endian numbers). Units become those of RFC 8428: Pa for
hPa, m/s2 for g, rad for degrees, J for Wh. Source: the tables of myDevices' Cayenne LPP README
(types 0 to 136) and of ElectronicCats' CayenneLPP for those that came later.
"""

import math
from dataclasses import dataclass

from hedge.core.errors import FrameError
from hedge.wire import frame, senml

Entry = tuple[str, str | None, float | int | bool]

_G_M_S2 = 9.80665
_RAD = math.pi / 180
_MAX_BYTES = 242  # of a LoRaWAN payload


@dataclass(frozen=True)
class _Part:
    """One number: its name, size, sign; value = raw * scale in unit, rounded to digits."""

    name: str
    size: int
    scale: float
    unit: str | None = None
    signed: bool = False
    digits: int = 4


def _axes(name: str, scale: float, unit: str) -> tuple[_Part, ...]:
    return tuple(_Part(f"{name}_{axis}", 2, scale, unit, True) for axis in "xyz")


_LOCATION = (
    _Part("lat", 3, 0.0001, "lat", True),
    _Part("lon", 3, 0.0001, "lon", True),
    _Part("altitude", 3, 0.01, "m", True),
)
_TYPES: dict[int, tuple[_Part, ...]] = {
    0: (_Part("digital_in", 1, 1),),
    1: (_Part("digital_out", 1, 1),),
    2: (_Part("analog_in", 2, 0.01, None, True),),
    3: (_Part("analog_out", 2, 0.01, None, True),),
    100: (_Part("generic", 4, 1),),
    101: (_Part("illuminance", 2, 1, "lx"),),
    102: (_Part("presence", 1, 1),),
    103: (_Part("temperature", 2, 0.1, "Cel", True),),
    104: (_Part("humidity", 1, 0.5, "%RH"),),
    113: _axes("acceleration", 0.001 * _G_M_S2, "m/s2"),
    115: (_Part("pressure", 2, 10, "Pa"),),
    116: (_Part("voltage", 2, 0.01, "V"),),
    117: (_Part("current", 2, 0.001, "A"),),
    118: (_Part("frequency", 4, 1, "Hz"),),
    120: (_Part("percentage", 1, 1, "%"),),
    121: (_Part("altitude", 2, 1, "m", True),),
    122: (_Part("load", 3, 0.001, "kg", True),),
    125: (_Part("concentration", 2, 1, "ppm"),),
    128: (_Part("power", 2, 1, "W"),),
    130: (_Part("distance", 4, 0.001, "m"),),
    131: (_Part("energy", 4, 3600, "J"),),
    132: (_Part("direction", 2, _RAD, "rad"),),
    133: (_Part("time", 4, 1, "s"),),
    134: _axes("rotation", 0.01 * _RAD, "rad/s"),
    135: tuple(_Part(name, 1, 1) for name in ("red", "green", "blue")),
    136: _LOCATION,
    142: (_Part("switch", 1, 1),),
}


def decode(data: bytes) -> list[Entry]:
    """(name, unit or None, value) of every number. Raises FrameError: it is no Cayenne LPP."""
    if not 0 < len(data) <= _MAX_BYTES:
        raise FrameError(f"cayenne: {len(data)} bytes, expected 1 to {_MAX_BYTES}")
    entries: list[Entry] = []
    pos = 0
    while pos < len(data):
        pos = _read(data, pos, entries)
    return entries


def _read(data: bytes, pos: int, entries: list[Entry]) -> int:
    """Append the numbers of the item at pos; returns the position after it."""
    if pos + 2 > len(data):
        raise FrameError(f"cayenne: cut short at {pos}")
    channel, kind = data[pos], data[pos + 1]
    parts = _TYPES.get(kind)
    if parts is None:
        raise FrameError(f"cayenne: type {kind} at {pos + 1} is not known")
    pos += 2
    for part in parts:
        raw = data[pos : pos + part.size]
        if len(raw) < part.size:
            raise FrameError(f"cayenne: {part.name} cut short at {pos}")
        entries.append((f"ch{channel}.{part.name}", part.unit, _value(raw, part)))
        pos += part.size
    return pos


def _value(raw: bytes, part: _Part) -> float | int:
    number = int.from_bytes(raw, "big", signed=part.signed)
    return number * part.scale if part.scale >= 1 else round(number * part.scale, part.digits)


def to_frames(
    device: str, boot: int, seq: int, time_s: int, data: bytes
) -> tuple[list[bytes], int]:
    """(frames for the gateway's ingest, next seq) of one message; a record each, from seq on.

    Nothing before seq is to come any more. Raises FrameError as decode.
    """
    packs = _packs(time_s, decode(data))
    frames = [
        frame.pack(device, boot, 1, number, number, [pack])
        for number, pack in enumerate(packs, start=seq)
    ]
    return frames, seq + len(packs)


def _packs(time_s: int, entries: list[Entry]) -> list[bytes]:
    """As few packs as fit a record each."""
    if len(entries) <= senml.MAX_RECORDS:
        pack = bytes(senml.encode(time_s, entries))
        if len(pack) <= frame.MAX_PAYLOAD_BYTES:
            return [pack]
    half = len(entries) // 2
    return _packs(time_s, entries[:half]) + _packs(time_s, entries[half:])
