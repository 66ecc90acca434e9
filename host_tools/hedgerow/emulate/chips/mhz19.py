"""Simulated Winsen MH-Z19B: answers the read command, self-calibration switch, checksum.

    chip = MHZ19(now_ms)
    machine.attach_uart(0, chip)
    chip.co2_ppm = 800

Written from the MH-Z19B user's manual version 1.0; commands with a wrong checksum are ignored.
Second source: ESPHome components/mhz19. Not simulated: preheating, calibration, ranges, PWM.
"""

from .uart_chip import UARTChip


def checksum(data):
    """Two's complement of the sum, as the manual's getCheckSum."""
    return (0xFF - sum(data) % 256 + 1) % 256


class MHZ19(UARTChip):
    """On a UART at 9600 baud."""

    def __init__(self, now_ms):
        self.co2_ppm = 600
        self.abc = True
        UARTChip.__init__(self, now_ms)

    def hear(self, data):
        if len(data) != 9 or data[:2] != b"\xff\x01" or checksum(data[1:8]) != data[8]:
            return
        if data[2] == 0x86:
            ppm = int(self.co2_ppm)
            body = bytes((0x86, ppm >> 8, ppm & 0xFF, 61, 0, 0, 0))
            self.say(b"\xff" + body + bytes((checksum(body),)), self._now_ms() + 9.4)
        elif data[2] == 0x79:
            self.abc = data[3] == 0xA0
