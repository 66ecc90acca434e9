"""What a device is set to against what the site wants: MAC commands until both agree.

A join-accept settles it at once; personalised devices, and sites whose settings changed, get there
by commands that ride on downlinks which leave anyway. What a device refuses is not asked again.
"""

from hedge.net.lorawan import crypto, maccmd
from hedge.net.lorawan.region import Region
from hedgerow.lns.database import Session

# RX2 of EU868 may be 13 dB louder than RX1: SF9 reaches as far as the default SF12, in an eighth
# of the time.
RX2_RATE = {"EU868": 3}
# What gateways listen to beside the region's own channels.
EXTRA_HZ = {
    "EU868": (867100000, 867300000, 867500000, 867700000, 867900000),
    "AS923": (923600000, 923800000, 924000000, 924200000, 924400000),
}
_HIGHEST_RATE = 5
_OURS = (maccmd.RX_PARAM_SETUP, maccmd.RX_TIMING_SETUP, maccmd.NEW_CHANNEL)
_OK = {maccmd.RX_PARAM_SETUP: 0x07, maccmd.NEW_CHANNEL: 0x03, maccmd.RX_TIMING_SETUP: 0}


def wanted(session: Session, region: Region, rx1_delay_s: int) -> bytes:
    """Commands that the device still needs, the most useful first."""
    out = b""
    rx2_rate = RX2_RATE.get(region.name, region.rx2_rate)
    if session.rx2_rate != rx2_rate:
        dl_settings = session.rx1_offset << 4 | rx2_rate
        out += bytes((maccmd.RX_PARAM_SETUP, dl_settings)) + maccmd.freq_bytes(session.rx2_hz)
    if session.rx1_delay_s != rx1_delay_s:
        out += bytes((maccmd.RX_TIMING_SETUP, rx1_delay_s))
    first = len(region.plan.get("channels_hz", ()))
    for i, hz in enumerate(EXTRA_HZ.get(region.name, ()), start=first):
        if not session.mask >> i & 1:
            rates = bytes((_HIGHEST_RATE << 4,))
            return out + bytes((maccmd.NEW_CHANNEL, i)) + maccmd.freq_bytes(hz) + rates
    return out


def not_refused(session: Session, commands: bytes) -> bytes:
    """The commands without those that the device does not take."""
    kept = b""
    for command, body in maccmd.split(commands, crypto.DOWN):
        if command not in session.unwilling:
            kept += bytes((command,)) + body
    return kept


def sent(session: Session, commands: bytes) -> None:
    """These went out: their answers will tell."""
    for command, body in maccmd.split(commands, crypto.DOWN):
        if command in _OURS:
            session.settling[str(command)] = body.hex()


def answered(session: Session, command: int, body: bytes) -> None:
    """A device's answer; one that we do not wait for is a repeat."""
    asked = session.settling.pop(str(command), None)
    if asked is None:
        return
    if body and body[0] & _OK[command] != _OK[command]:
        session.unwilling.append(command)
        return
    _TAKE[command](session, bytes.fromhex(asked))


def _rx_param(session: Session, asked: bytes) -> None:
    session.rx1_offset, session.rx2_rate = asked[0] >> 4 & 7, asked[0] & 0x0F
    session.rx2_hz = maccmd.freq_hz(asked, 1)


def _rx_timing(session: Session, asked: bytes) -> None:
    session.rx1_delay_s = asked[0]


def _new_channel(session: Session, asked: bytes) -> None:
    session.mask |= 1 << asked[0]


_TAKE = {
    maccmd.RX_PARAM_SETUP: _rx_param,
    maccmd.RX_TIMING_SETUP: _rx_timing,
    maccmd.NEW_CHANNEL: _new_channel,
}
