"""Simulated Hi-Link HLK-LD2410: report frames of basic target information ten times a second.

    chip = LD2410(now_ms)
    machine.attach_uart(0, chip)
    chip.state, chip.moving_cm, chip.moving_pct = 1, 180, 70
    chip.still_cm, chip.still_pct, chip.detected_cm = 0, 0, 180

Written from the serial communication protocol V1.02, section 2.3. Second source: ESPHome
components/ld2410. Not simulated: commands; engineering mode only as frames of its length, all zero
beyond the basic part.

Faults: "tail" sends a wrong tail; "crc" of uart_chip.py spoils the length.
"""

from .uart_chip import UARTChip


class LD2410(UARTChip):
    """On a UART at 256000 baud."""

    FAULTS = UARTChip.FAULTS + ("tail",)
    BAUD = 256000
    period_ms = 100

    def __init__(self, now_ms):
        self.state = 0
        self.moving_cm = self.still_cm = self.detected_cm = 0
        self.moving_pct = self.still_pct = 0
        self.engineering = False
        UARTChip.__init__(self, now_ms)

    def frame(self):
        body = bytearray((1 if self.engineering else 2, 0xAA, int(self.state)))
        for cm, pct in ((self.moving_cm, self.moving_pct), (self.still_cm, self.still_pct)):
            body += int(cm).to_bytes(2, "little") + bytes((int(pct),))
        body += int(self.detected_cm).to_bytes(2, "little")
        if self.engineering:
            body += bytes(22)
        body += b"\x55\x00"
        tail = b"\xf8\xf7\xf6\x00" if self.fault == "tail" else b"\xf8\xf7\xf6\xf5"
        return b"\xf4\xf3\xf2\xf1" + len(body).to_bytes(2, "little") + body + tail
