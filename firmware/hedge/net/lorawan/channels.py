"""The channels that the device may send on: defaults, CFList, masks, NewChannel, DlChannel.

One class for both kinds of region: dynamic (EU868, AS923, IN865: 16 places to fill) and fixed
(US915, AU915: 72 known ones to mask). Source: LoRaWAN L2 1.0.4 section 5, RP002-1.0.4.
"""

from .maccmd import freq_bytes, freq_hz
from .region import DYNAMIC_CHANNELS

_ALL_125K = (1 << 64) - 1
FREQ_OK = 1
RATES_OK = 2


class Channels:
    """mask: bit i enables channel i. Dynamic entries: [Hz, RX1 Hz, lowest rate, highest rate]."""

    def __init__(self, region, sub_band=0):
        """sub_band: 1..8, the eight channels that a US915 or AU915 gateway hears; 0 for all."""
        self._region = region
        self._entries = []
        if region.fixed:
            self.mask = self._blocks(1 << sub_band - 1 if sub_band else 0xFF)
            self._own = self.mask
        else:
            for hz in region.plan["channels_hz"]:
                self._entries.append([hz, hz, 0, region.plan["default_rate_max"]])
            self.mask = (1 << len(self._entries)) - 1
        self._defaults = len(self._entries)

    def count(self):
        return 72 if self._region.fixed else len(self._entries)

    def freq_hz(self, i):
        """Uplink frequency of channel i; 0 if the place is empty."""
        if not self._region.fixed:
            return self._entries[i][0] if i < len(self._entries) else 0
        first, step, _, _, _ = self._region.fixed[i // 64]
        return first + step * (i % 64)

    def rx1_hz(self, i):
        """What RX1 is derived from: the uplink frequency, or what DlChannel said."""
        return self.freq_hz(i) if self._region.fixed else self._entries[i][1]

    def rates(self, i):
        """(lowest, highest) data rate of channel i."""
        if self._region.fixed:
            return self._region.fixed[i // 64][3:5]
        return self._entries[i][2], self._entries[i][3]

    def usable(self, rate, mask=None):
        """Numbers of the enabled channels that take this data rate."""
        mask = self.mask if mask is None else mask
        found = []
        for i in range(self.count()):
            if mask >> i & 1 and self.freq_hz(i):
                low, high = self.rates(i)
                if low <= rate <= high:
                    found.append(i)
        return found

    def joinable(self, rate, attempt):
        """Channels of a join: the region's own, whatever is masked.

        Of 72 channels a gateway hears eight and one, so each attempt tries another block.
        """
        if not self._region.fixed:
            return list(range(self._defaults))
        found = self.usable(rate, self._own & self._blocks(1 << attempt % 8))
        return found or self.usable(rate, self._own)

    def enable_defaults(self):
        """The last step of the ADR back-off: the region's own channels are on again."""
        self.mask |= self._own if self._region.fixed else (1 << self._defaults) - 1

    # ---- LinkADRReq ----

    def masked(self, mask, control, bits):
        """`mask` after one ChMask (16 bits) with ChMaskCntl; None if that is not defined.

        The result may name channels that do not exist: see is_mask().
        """
        if not self._region.fixed:
            return {0: bits, 6: self._defined()}.get(control)
        if control <= 4:
            shift = 16 * control
            bits &= 0xFF if control == 4 else 0xFFFF
            return mask & ~(0xFFFF << shift) | bits << shift
        if control == 5:
            return self._blocks(bits)
        if control in (6, 7):
            return (_ALL_125K if control == 6 else 0) | (bits & 0xFF) << 64
        return None

    def _defined(self):
        return sum([1 << i for i in range(len(self._entries)) if self._entries[i][0]])

    def _blocks(self, bits):
        mask = 0
        for block in range(8):
            if bits >> block & 1:
                mask |= 0xFF << 8 * block | 1 << 64 + block
        return mask

    def is_mask(self, mask, rate):
        """True if all channels of the mask exist and one of them takes the data rate."""
        for i in range(self.count(), 80):
            if mask >> i & 1:
                return False
        for i in range(self.count()):
            if mask >> i & 1 and not self.freq_hz(i):
                return False
        return bool(self.usable(rate, mask))

    # ---- NewChannelReq, DlChannelReq, CFList ----

    def define(self, i, hz, low, high):
        """NewChannelReq: (status bits FREQ_OK | RATES_OK); changed only if both hold."""
        region = self._region
        if region.fixed or not self._defaults <= i < DYNAMIC_CHANNELS:
            return 0
        status = FREQ_OK if hz == 0 or region.is_freq(hz) else 0
        if hz == 0 or (low <= high and region.is_rate_up(high) and region.lora(low)):
            status |= RATES_OK
        if status == FREQ_OK | RATES_OK:
            self._set(i, hz, low, high)
        return status

    def _set(self, i, hz, low, high):
        while len(self._entries) <= i:
            self._entries.append([0, 0, 0, 0])
        self._entries[i] = [hz, hz, low, high]
        bit = 1 << i
        self.mask = self.mask | bit if hz else self.mask & ~bit

    def set_rx1(self, i, hz):
        """DlChannelReq: status bits, 2 the uplink frequency exists, 1 the new one is good."""
        if self._region.fixed:
            return 0
        status = 2 if i < len(self._entries) and self._entries[i][0] else 0
        status |= 1 if self._region.is_freq(hz) else 0
        if status == 3:
            self._entries[i][1] = hz
        return status

    def take_cf_list(self, cf_list):
        """The 16 bytes at the end of a join-accept; an unknown type is ignored."""
        if len(cf_list) != 16:
            return
        if self._region.fixed and cf_list[15] == 1:
            self.mask = int.from_bytes(cf_list[:9], "little")
        elif not self._region.fixed and cf_list[15] == 0:
            for n in range(5):
                hz = freq_hz(cf_list, 3 * n)
                if hz and self._region.is_freq(hz):
                    self._set(self._defaults + n, hz, 0, self._region.plan["default_rate_max"])

    # ---- what outlives a reset ----

    def saved(self):
        """Plain lists and ints for the key-value file."""
        return [self.mask, [list(entry) for entry in self._entries]]

    def restore(self, saved):
        self.mask = saved[0]
        self._entries = [list(entry) for entry in saved[1]]


def cf_list(frequencies_hz):
    """16 bytes of type 0 with at most five frequencies beyond the region's own."""
    out = b"".join([freq_bytes(hz) for hz in frequencies_hz])
    return out + bytes(16 - len(out))
