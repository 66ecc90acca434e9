"""PHYPayloads: join-request, join-accept and data messages, bytes to fields and back.

DESIGN: uplink -> gateway over LoRaWAN. Both sides use this file: the device builds uplinks and
reads downlinks, the network server the other way round. Source: LoRaWAN L2 1.0.4, 4 and 6.2.

Whatever is wrong in bytes from outside raises FrameError, and nothing else does.
"""

from ...core.errors import FrameError
from ...wire.mac import same
from . import crypto

JOIN_REQUEST = 0
JOIN_ACCEPT = 1
UNCONFIRMED_UP = 2
UNCONFIRMED_DOWN = 3
CONFIRMED_UP = 4
CONFIRMED_DOWN = 5

ADR = 0x80
ADR_ACK_REQ = 0x40  # uplinks
ACK = 0x20
F_PENDING = 0x10  # downlinks; class B in uplinks

MAX_PHY_BYTES = 255
MAX_FOPTS_BYTES = 15
OVERHEAD_BYTES = 13  # MHDR, FHDR without options, FPort, MIC: what a data message adds
_JOIN_REQUEST_BYTES = 23
_MIC_BYTES = crypto.MIC_BYTES


class Data:
    """A data message. fcnt: 16 bits until it was verified, 32 bits after that.

    port: None when there is no FPort. payload: encrypted until decrypt().
    """

    def __init__(self, mtype, dev_addr, fctrl, fcnt, fopts=b"", port=None, payload=b""):
        self.mtype = mtype
        self.dev_addr = dev_addr
        self.fctrl = fctrl
        self.fcnt = fcnt
        self.fopts = fopts
        self.port = port
        self.payload = payload

    @property
    def direction(self):
        return crypto.DOWN if self.mtype in (UNCONFIRMED_DOWN, CONFIRMED_DOWN) else crypto.UP

    @property
    def confirmed(self):
        return self.mtype in (CONFIRMED_UP, CONFIRMED_DOWN)


def pack_data(message, nwk_s_key, app_s_key):
    """PHYPayload of a Data whose payload is plain; fcnt has all 32 bits.

    Raises ValueError if options or the whole are too long, or there is a payload and no port.
    """
    if len(message.fopts) > MAX_FOPTS_BYTES:
        raise ValueError("%d bytes of FOpts" % len(message.fopts))
    if (message.port is None and message.payload) or (message.port == 0 and message.fopts):
        raise ValueError("payload without port, or MAC commands in both places")
    out = bytearray((message.mtype << 5,))
    out += message.dev_addr.to_bytes(4, "little")
    out.append(message.fctrl & 0xF0 | len(message.fopts))
    out += (message.fcnt & 0xFFFF).to_bytes(2, "little")
    out += message.fopts
    if message.port is not None:
        out.append(message.port)
        out += _crypt(message, nwk_s_key, app_s_key)
    out += crypto.data_mic(nwk_s_key, message.direction, message.dev_addr, message.fcnt, out)
    if len(out) > MAX_PHY_BYTES:
        raise ValueError("message of %d bytes" % len(out))
    return bytes(out)


def _crypt(message, nwk_s_key, app_s_key):
    key = app_s_key if message.port else nwk_s_key
    where = (message.direction, message.dev_addr, message.fcnt)
    return crypto.crypt_payload(key, *where, message.payload)


def mtype(data):
    """Message type of a PHYPayload (bytes-like). Raises FrameError: empty, too long, not R1."""
    if not 1 <= len(data) <= MAX_PHY_BYTES:
        raise FrameError("lorawan: %d bytes" % len(data))
    if data[0] & 0x1F:
        raise FrameError("lorawan: MHDR %02x is not LoRaWAN R1" % data[0])
    return data[0] >> 5


def unpack_data(data):
    """Data of a PHYPayload, neither verified nor decrypted. Raises FrameError."""
    kind = mtype(data)
    if not UNCONFIRMED_UP <= kind <= CONFIRMED_DOWN:
        raise FrameError("lorawan: type %d is no data message" % kind)
    end = len(data) - _MIC_BYTES
    options_end = 8 + (data[5] & 0x0F) if end >= 8 else end + 1
    if options_end > end:
        raise FrameError("lorawan: header cut short")
    port = data[options_end] if options_end < end else None
    if port == 0 and options_end > 8:
        raise FrameError("lorawan: MAC commands in FOpts and on port 0")
    return Data(
        kind,
        int.from_bytes(bytes(data[1:5]), "little"),
        data[5],
        int.from_bytes(bytes(data[6:8]), "little"),
        bytes(data[8:options_end]),
        port,
        bytes(data[options_end + 1 : end]),
    )


def has_mic(data, message, fcnt, nwk_s_key):
    """True if the MIC fits `message`, unpacked from data, at this full counter."""
    end = len(data) - _MIC_BYTES
    mic = crypto.data_mic(nwk_s_key, message.direction, message.dev_addr, fcnt, data[:end])
    return same(mic, data[end:])


def decrypt(message, fcnt, nwk_s_key, app_s_key):
    """Set the full counter and replace the payload by its plain bytes."""
    message.fcnt = fcnt
    if message.port is not None:
        message.payload = _crypt(message, nwk_s_key, app_s_key)


def full_fcnt(last, low):
    """The 32-bit counter after `last` (-1: none yet) whose low 16 bits are `low`; None past 2**32.

    It is the least one above `last`: a repeated counter looks like a step of 65,536 and fails its
    MIC, as a replayed message must. 1.0.4 knows no limit to the gap.
    """
    fcnt = (last + 1 & ~0xFFFF) | low
    if fcnt <= last:
        fcnt += 0x10000
    return fcnt if fcnt <= 0xFFFFFFFF else None


def pack_join_request(join_eui, dev_eui, dev_nonce, app_key):
    """23 bytes. EUIs: 8 bytes as printed, most significant first."""
    out = b"\x00" + _reversed(join_eui) + _reversed(dev_eui) + dev_nonce.to_bytes(2, "little")
    return out + crypto.join_mic(app_key, out)


def unpack_join_request(data):
    """(join_eui, dev_eui, dev_nonce), not verified. Raises FrameError."""
    if mtype(data) != JOIN_REQUEST or len(data) != _JOIN_REQUEST_BYTES:
        raise FrameError("lorawan: no join-request, %d bytes" % len(data))
    nonce = int.from_bytes(bytes(data[17:19]), "little")
    return _reversed(data[1:9]), _reversed(data[9:17]), nonce


def has_join_mic(data, app_key):
    """True if the MIC of a join-request, or of a decrypted join-accept, fits."""
    end = len(data) - _MIC_BYTES
    return same(crypto.join_mic(app_key, data[:end]), data[end:])


class JoinAccept:
    """dl_settings: bits 6..4 RX1 offset, 3..0 RX2 data rate. cf_list: 0 or 16 bytes."""

    def __init__(self, join_nonce, net_id, dev_addr, dl_settings, rx_delay_s, cf_list=b""):
        self.join_nonce = join_nonce
        self.net_id = net_id
        self.dev_addr = dev_addr
        self.dl_settings = dl_settings
        self.rx_delay_s = rx_delay_s
        self.cf_list = cf_list


def pack_join_accept(accept, app_key):
    """17 or 33 bytes, encrypted."""
    plain = bytearray((JOIN_ACCEPT << 5,))
    plain += accept.join_nonce.to_bytes(3, "little") + accept.net_id.to_bytes(3, "little")
    plain += accept.dev_addr.to_bytes(4, "little")
    plain += bytes((accept.dl_settings, accept.rx_delay_s)) + accept.cf_list
    plain += crypto.join_mic(app_key, plain)
    return bytes(plain[:1]) + crypto.decrypt_blocks(app_key, bytes(plain[1:]))


def unpack_join_accept(data, app_key):
    """JoinAccept, decrypted and verified. Raises FrameError."""
    if mtype(data) != JOIN_ACCEPT or len(data) not in (17, 33):
        raise FrameError("lorawan: no join-accept, %d bytes" % len(data))
    plain = bytes(data[:1]) + crypto.encrypt_blocks(app_key, bytes(data[1:]))
    if not has_join_mic(plain, app_key):
        raise FrameError("lorawan: join-accept with a wrong MIC")
    return JoinAccept(
        int.from_bytes(plain[1:4], "little"),
        int.from_bytes(plain[4:7], "little"),
        int.from_bytes(plain[7:11], "little"),
        plain[11],
        plain[12] & 0x0F,
        plain[13:-_MIC_BYTES],
    )


def _reversed(data):
    return bytes([data[i] for i in range(len(data) - 1, -1, -1)])
