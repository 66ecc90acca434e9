"""What a region allows: data rates, payload sizes, receive windows. The numbers are plan_*.py.

    region = load("EU868")
    region.rx1(868100000, channel=0, rate=5, offset=0)  ->  (868100000, 5)

Both sides use it: the device, and the network server that answers it.
"""

from ...core.errors import ConfigError

NAMES = ("EU868", "US915", "AU915", "AS923", "IN865")
DYNAMIC_CHANNELS = 16


class Region:
    """A plan with its questions. Frequencies in Hz, rates as the region's DR numbers."""

    def __init__(self, plan):
        self.plan = plan
        self.name = plan["name"]
        self.rates = plan["rates"]
        self.fixed = plan.get("fixed")
        self.rx2_hz, self.rx2_rate = plan["rx2"]
        self.dwell = plan.get("dwell", False)

    def lora(self, rate):
        """(spreading factor, bandwidth kHz) of a data rate, None if the region has it not."""
        return self.rates[rate] if 0 <= rate < len(self.rates) else None

    def rate_of(self, sf, bw_khz, up=True):
        """Data rate of an uplink (or downlink) with these parameters, None if there is none."""
        last = self.plan["max_rate_up"]
        for rate, lora in enumerate(self.rates):
            if lora == (sf, bw_khz) and (not self.fixed or (rate <= last) == up):
                return rate
        return None

    def max_payload(self, rate, dwell=False):
        """Most bytes of FRMPayload with empty FOpts; 0 where the rate may not be used."""
        table = self.plan["max_payload"]
        if dwell:
            table = self.plan.get("max_payload_dwell", table)
        return table[rate] if 0 <= rate < len(table) else 0

    def is_rate_up(self, rate, dwell=False):
        """May uplinks use it?"""
        return 0 <= rate <= self.plan["max_rate_up"] and self.max_payload(rate, dwell) > 0

    def is_rate_down(self, rate):
        """May downlinks use it?"""
        if self.lora(rate) is None:
            return False
        return not self.fixed or rate > self.plan["max_rate_up"]

    def is_rx(self, offset, rate):
        """Are these an offset of RX1 and a data rate of RX2?"""
        return offset <= self.plan["rx1_offset_max"] and self.is_rate_down(rate)

    def is_freq(self, hz):
        """Inside the region, and in a band that may be used at all."""
        inside = self.plan["low_hz"] <= hz <= self.plan["high_hz"]
        return inside and self.duty_permille(hz) > 0

    def power_dbm(self, index, max_eirp_dbm=None):
        """EIRP of a TXPower index; None if the region has it not."""
        if not 0 <= index < self.plan["power_steps"]:
            return None
        return (max_eirp_dbm or self.plan["max_eirp_dbm"]) - 2 * index

    def rx1(self, up_hz, channel, rate, offset, dwell=None):
        """(frequency, data rate) of the first receive window.

        dwell: is the dwell time of downlinks limited (TXParamSetup)? None: as at the beginning.
        """
        if self.fixed:
            first, step, count = self.plan["down"]
            down = min(max(rate + self.plan["rx1_base"] - offset, 8), 13)
            return first + step * (channel % count), down
        down = rate - self.plan["rx1_offsets"][offset]
        lowest = 2 if (self.dwell if dwell is None else dwell) else 0
        return up_hz, min(max(down, lowest), 5 if rate <= 5 else len(self.rates) - 1)

    def channel_of(self, hz):
        """Number of a fixed uplink channel by its frequency, None if there is none."""
        number = 0
        for first, step, count, _, _ in self.fixed or ():
            if 0 <= hz - first < step * count and (hz - first) % step == 0:
                return number + (hz - first) // step
            number += count
        return None

    def duty_permille(self, hz):
        """Share of time that may be sent on this frequency, in 1/1000."""
        duty = self.plan["duty"]
        for low, high, permille in duty:
            if low <= hz < high:
                return permille
        return 0 if duty else 1000

    def band_of(self, hz):
        """Number of the duty cycle band, -1 where there is none."""
        for i, (low, high, _) in enumerate(self.plan["duty"]):
            if low <= hz < high:
                return i
        return -1


def load(name):
    """Region by name; only its plan is imported. Raises ConfigError."""
    if name not in NAMES:
        raise ConfigError("lorawan region %r: one of %s" % (name, ", ".join(NAMES)))
    package = __name__.rpartition(".")[0]
    module = __import__(package + ".plan_" + name.lower(), None, None, ("PLAN",))
    return Region(module.PLAN)
