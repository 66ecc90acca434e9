"""Simulated TI TCA9548A: a control byte that takes effect at the stop, and eight buses behind it.

    switch = TCA9548A(now_ms)
    machine.attach_i2c(0, 0x70, switch)
    switch.attach(0, 0x76, left)  # channel 0
    switch.attach(1, 0x76, right)
    machine.attach_i2c(0, 0x76, switch.behind(0x76))

Written from SCPS207F (8.5.4 and table 2). Second source: Linux
drivers/i2c/muxes/i2c-mux-pca954x.c. Two chips at one address on two connected channels both take
what is written; of a read the AND of their bytes comes back, as on an open-drain line.
Faults: those of I2CChip.
"""

from .i2c_chip import I2CChip


class TCA9548A(I2CChip):
    def __init__(self, now_ms):
        self._behind = {}  # (channel, addr) -> chip
        I2CChip.__init__(self, now_ms)

    def power_on(self):
        self.connected = 0
        self._next = None

    def attach(self, channel, addr, chip):
        """Put chip at addr of the bus behind channel."""
        self._behind[channel, addr] = chip

    def behind(self, addr):
        """What stands for all chips at addr behind the switch, to be attached in front of it."""
        return _Behind(self, addr)

    def chips(self, addr):
        """The chips at addr that are connected now."""
        if not self.present:
            return []
        channels = [n for n in range(8) if self.connected >> n & 1]
        return [self._behind[n, addr] for n in channels if (n, addr) in self._behind]

    def write(self, byte):
        if self.fault == "nack":
            return False
        self._next = byte
        return True

    def read(self):
        return self.connected

    def stop(self):
        if self._next is not None:
            self.connected, self._next = self._next, None


class _Behind:
    """A chip of the fake I2C bus that is there while its channel is connected."""

    max_hz = 400000

    def __init__(self, switch, addr):
        self._switch = switch
        self._addr = addr
        self._now = []

    @property
    def holds_bus(self):
        return any(getattr(c, "holds_bus", False) for c in self._switch.chips(self._addr))

    def start(self, reading):
        self._now = [c for c in self._switch.chips(self._addr) if c.start(reading)]
        return bool(self._now)

    def write(self, byte):
        return any([chip.write(byte) for chip in self._now])  # every one of them takes it

    def read(self):
        value = 0xFF
        for chip in self._now:
            value &= chip.read()
        return value

    def stop(self):
        for chip in self._now:
            chip.stop()
