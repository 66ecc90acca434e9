"""Simulated Plantower PMS5003: active and passive mode, sleep, frames with checksum.

    chip = PMS5003(now_ms)
    machine.attach_uart(0, chip)
    chip.pm1_ug, chip.pm2_5_ug, chip.pm10_ug = 5, 12, 20

Written from the PMS5003 series data manual V2.3 (appendices I and II): active at power-on, a
frame every 2.3 s while the air is steady, none asleep or in passive mode until asked. Second
source: ESPHome components/pmsx003. Values for factory conditions (CF=1) and particle counts are
made up.
"""

from .uart_chip import UARTChip


class PMS5003(UARTChip):
    """On a UART at 9600 baud."""

    period_ms = 2300

    def __init__(self, now_ms):
        self.pm1_ug = 5
        self.pm2_5_ug = 12
        self.pm10_ug = 20
        UARTChip.__init__(self, now_ms)

    def power_on(self):
        UARTChip.power_on(self)
        self.active = True
        self.asleep = False

    def frame(self):
        return b"" if self.asleep or not self.active else self._frame()

    def _frame(self):
        mass = (int(self.pm1_ug), int(self.pm2_5_ug), int(self.pm10_ug))
        counts = (1200, 340, 80, 12, 4, 2)
        data = bytearray(b"\x42\x4d\x00\x1c")
        for word in mass + mass + counts + (0x9700,):
            data += bytes((word >> 8, word & 0xFF))
        total = sum(data)
        return data + bytes((total >> 8 & 0xFF, total & 0xFF))

    def hear(self, data):
        if len(data) != 7 or data[:2] != b"\x42\x4d" or sum(data[:5]) != data[5] << 8 | data[6]:
            return
        if data[2] == 0xE4:
            self.asleep = not data[4]
        elif data[2] == 0xE1:
            self.active = bool(data[4])
        elif data[2] == 0xE2 and not self.active and not self.asleep:
            self.say(self._frame(), self._now_ms())
