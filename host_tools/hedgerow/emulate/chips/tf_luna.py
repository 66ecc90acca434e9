"""Simulated Benewake TF-Luna: a 9-byte frame a hundred times a second.

    chip = TFLuna(now_ms)
    machine.attach_uart(0, chip)
    chip.distance_m, chip.strength, chip.temp_c = 1.25, 1200, 30.0

Written from SJ-PM-TF-Luna A05, appendix I, format 9-byte/cm. Second source: sieuwe1/
Autonomous-Ai-drone-scripts. Not simulated: commands, other formats, trigger mode. Fault: "blind"
gets no echo back (strength 30); others as in uart_chip.py.
"""

from .uart_chip import UARTChip


class TFLuna(UARTChip):
    """On a UART at 115200 baud."""

    FAULTS = UARTChip.FAULTS + ("blind",)
    BAUD = 115200
    INPUTS = (("distance_m", "distance", None),)
    period_ms = 10

    def __init__(self, now_ms):
        self.distance_m = 1.0
        self.strength = 1000
        self.temp_c = 25.0
        UARTChip.__init__(self, now_ms)

    def frame(self):
        strength = 30 if self.fault == "blind" else self.strength
        words = (round(self.distance_m * 100), strength, round((self.temp_c + 256) * 8))
        body = b"\x59\x59" + b"".join([word.to_bytes(2, "little") for word in words])
        return body + bytes((sum(body) & 0xFF,))
