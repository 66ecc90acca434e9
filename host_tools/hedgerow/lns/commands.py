"""MAC commands: what a device asks and answers, and what we ask of it. LoRaWAN L2 1.0.4, 5."""

from hedge.net.lorawan import crypto, maccmd
from hedge.net.lorawan.region import Region
from hedgerow.lns import settle
from hedgerow.lns.adr import NEEDED_SNR_DB
from hedgerow.lns.database import Session

_ADR_OK = 0x07


def take(
    session: Session, stream: bytes, *, snr_db: float, sf: int, gateways: int, now_s: float
) -> bytes:
    """Carry out a device's commands; returns our answers. Changes session."""
    out = b""
    for command, body in maccmd.split(stream, crypto.UP):
        if command == maccmd.LINK_CHECK:
            margin_db = min(max(int(snr_db - NEEDED_SNR_DB.get(sf, 0.0)), 0), 254)
            out += bytes((maccmd.LINK_CHECK, margin_db, min(gateways, 255)))
        elif command == maccmd.DEVICE_TIME and now_s >= maccmd.GPS_EPOCH_S:  # else no clock yet
            fraction = int(now_s % 1 * 256)
            out += bytes((maccmd.DEVICE_TIME,)) + maccmd.device_time(int(now_s), fraction)
        elif command == maccmd.LINK_ADR and session.asked:
            _adr_answered(session, body[0])
        else:
            settle.answered(session, command, body)
    return out


def _adr_answered(session: Session, status: int) -> None:
    assert session.asked is not None
    if status & _ADR_OK == _ADR_OK:
        session.rate, session.power = session.asked
        session.snrs = []
        session.refused = None
    else:
        session.refused = session.asked
    session.asked = None


def link_adr(session: Session, region: Region, rate: int, power: int) -> bytes:
    """LinkADRReq for this rate and power with the channels that the device has."""
    head = bytes((maccmd.LINK_ADR, rate << 4 | power))
    if not region.fixed:
        return head + (session.mask & 0xFFFF).to_bytes(2, "little") + b"\x01"
    last = bytes((maccmd.LINK_ADR, rate << 4 | power))
    wide = (session.mask >> 64 & 0xFF).to_bytes(2, "little")
    whole = session.mask & (1 << 64) - 1 == (1 << 64) - 1
    out = head + wide + (b"\x61" if whole else b"\x71")  # all of 125 kHz on, or off
    for block in range(0 if whole else 4):
        bits = session.mask >> 16 * block & 0xFFFF
        if bits:
            out += last + bits.to_bytes(2, "little") + bytes((block << 4 | 1,))
    return out
