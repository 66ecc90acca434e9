"""SNTP requests and answers: bytes only.

    data = request(cookie)                       # cookie: 8 random bytes
    sent = reply(answer, cookie)                 # ms since 1970, when the server sent it

Source: RFC 4330 sections 4 (format), 5 (what a client checks), 8 (kiss-o'-death); RFC 5905 7.3.
"""

from ..core.errors import FrameError, LinkError

BYTES = 48
_VERSION = 4
_CLIENT, _SERVER = 3, 4
_ALARM = 3  # leap indicator: the server's clock is not synchronised
_MAX_STRATUM = 15
_SINCE_1900_S = 2208988800  # 1970 in NTP's count
_ERA_S = 1 << 32


class Refused(LinkError):
    """Kiss-o'-death: this server does not want to be asked (so often). code: e.g. "RATE"."""

    def __init__(self, code):
        super().__init__("time server refused: %s" % code)
        self.code = code


def request(cookie):
    """48 bytes. The transmit time is a random number: the server has no use for ours, and whoever
    does not see the request cannot forge its answer (RFC 5905 section 7.3 leaves it to us)."""
    data = bytearray(BYTES)
    data[0] = _VERSION << 3 | _CLIENT
    data[40:48] = cookie
    return bytes(data)


def reply(data, cookie):
    """Milliseconds since 1970 at which the server received and sent, as (received, sent).

    Raises FrameError if it is malformed or answers another request, Refused, LinkError if the
    server itself does not know the time.
    """
    if len(data) < BYTES or bytes(data[24:32]) != cookie:
        raise FrameError("SNTP: not an answer to this request")
    version = data[0] >> 3 & 7
    if data[0] & 7 != _SERVER or version not in (3, 4):
        raise FrameError("SNTP: mode %d, version %d" % (data[0] & 7, version))
    if data[1] == 0:
        raise Refused("".join([chr(c) if 32 < c < 127 else "?" for c in data[12:16]]))
    if data[0] >> 6 == _ALARM or data[1] > _MAX_STRATUM:
        raise LinkError("time server is not synchronised")
    for at in (4, 8):  # root delay, which is signed, and dispersion: both below 1 s
        if data[at] or data[at + 1]:
            raise LinkError("time server is too far from its source")
    received, sent = _ms(data, 32), _ms(data, 40)
    if not any(data[40:48]) or sent < received:
        raise FrameError("SNTP: times that cannot be")
    return received, sent


def _ms(data, at):
    """A timestamp as ms since 1970. A clear top bit: the era from 2036 on (RFC 4330 section 3)."""
    seconds = 0
    for c in data[at : at + 4]:
        seconds = seconds << 8 | c
    if not data[at] & 0x80:
        seconds += _ERA_S
    fraction = data[at + 4] << 8 | data[at + 5]
    return (seconds - _SINCE_1900_S) * 1000 + (fraction * 1000 >> 16)
