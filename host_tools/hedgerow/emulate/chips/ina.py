"""What TI's current monitors share: configuration, triggered and continuous mode, time, reset.

A chip overrides RESET (its configuration at power-on), `took_ms(config)` and `convert()`.
Faults: "busy" never finishes; and those of I2CChip.
"""

from .i2c_chip import WordChip

TIMES_MS = (0.14, 0.204, 0.332, 0.588, 1.1, 2.116, 4.156, 8.244)  # INA226 and INA3221, typical
SAMPLES = (1, 4, 16, 64, 128, 256, 512, 1024)


class CurrentMonitor(WordChip):
    """WordChip with a configuration in register 0 whose bits 0 to 2 are the mode."""

    FAULTS = WordChip.FAULTS + ("busy",)
    RESET = 0
    WRITABLE = (0, 5)
    shunt_ohm = 0.1

    def power_on(self):
        WordChip.power_on(self)
        self.ready = False
        self._configure(self.RESET)

    def took_ms(self, config):
        """Duration of one round of all conversions that config asks for."""
        raise NotImplementedError

    def convert(self):
        """Put the present inputs into the registers."""
        raise NotImplementedError

    def store(self, reg, value):
        if reg == 0:
            if value & 0x8000:
                self.power_on()
            else:
                self._configure(value)
        elif reg in self.WRITABLE:
            self.words[reg] = value

    def _configure(self, value):
        self.words[0] = value
        self.ready = False  # a write of the mode clears the ready flag
        self._begin()

    def _begin(self):
        config = self.words[0]
        self._done_ms = self._now_ms() + self.took_ms(config) if config & 3 else None

    def settle(self):
        if self._done_ms is None or self.fault == "busy" or self._now_ms() < self._done_ms:
            return
        self.convert()
        self.ready = True
        self._done_ms = None
        if self.words[0] & 4:
            self._begin()


def clipped(value, lowest, highest):
    """Nearest integer that the converter has."""
    return min(max(int(round(value)), lowest), highest)
