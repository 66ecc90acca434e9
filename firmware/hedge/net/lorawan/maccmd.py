"""MAC commands: identifiers, lengths, and the split of a command stream.

Source: LoRaWAN L2 1.0.4, section 5, table 5 (both directions share identifiers).
"""

LINK_CHECK = 0x02
LINK_ADR = 0x03
DUTY_CYCLE = 0x04
RX_PARAM_SETUP = 0x05
DEV_STATUS = 0x06
NEW_CHANNEL = 0x07
RX_TIMING_SETUP = 0x08
TX_PARAM_SETUP = 0x09
DL_CHANNEL = 0x0A
DEVICE_TIME = 0x0D

# identifier: (bytes that the device sends, bytes that the network sends), identifier not counted
SIZES = {
    LINK_CHECK: (0, 2),
    LINK_ADR: (1, 4),
    DUTY_CYCLE: (0, 1),
    RX_PARAM_SETUP: (1, 4),
    DEV_STATUS: (2, 0),
    NEW_CHANNEL: (1, 5),
    RX_TIMING_SETUP: (0, 1),
    TX_PARAM_SETUP: (0, 1),
    DL_CHANNEL: (1, 4),
    DEVICE_TIME: (0, 5),
}
# Answers that are repeated in each uplink until a downlink shows that the network has them.
STICKY = (RX_PARAM_SETUP, RX_TIMING_SETUP, TX_PARAM_SETUP, DL_CHANNEL)

GPS_EPOCH_S = 315964800  # 1980-01-06 in seconds since 1970
LEAP_S = 18  # GPS runs ahead of UTC by this, since 2017


def split(data, direction):
    """List of (identifier, payload) of commands travelling in direction (crypto.UP or DOWN).

    Ends quietly at an unknown or cut-short command: its length is unknown, so section 5 has the
    receiver drop the rest.
    """
    found = []
    pos = 0
    while pos < len(data) and data[pos] in SIZES:
        end = pos + 1 + SIZES[data[pos]][direction]
        if end > len(data):
            break
        found.append((data[pos], bytes(data[pos + 1 : end])))
        pos = end
    return found


def freq_hz(payload, at):
    """A frequency field: 3 bytes, little-endian, in units of 100 Hz."""
    return (payload[at] | payload[at + 1] << 8 | payload[at + 2] << 16) * 100


def freq_bytes(hz):
    """The field for a frequency in Hz."""
    return (hz // 100).to_bytes(3, "little")


def device_time(epoch_s, fraction_256=0):
    """Payload of DeviceTimeAns. epoch_s: seconds since 1970, at the end of the uplink."""
    return (epoch_s - GPS_EPOCH_S + LEAP_S).to_bytes(4, "little") + bytes((fraction_256,))


def epoch_s(payload):
    """Seconds since 1970 of a DeviceTimeAns payload."""
    return int.from_bytes(payload[:4], "little") + GPS_EPOCH_S - LEAP_S
