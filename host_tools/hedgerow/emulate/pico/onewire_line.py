"""1-Wire chips on one pin: time slots of the master's pulses, to the bits that chips speak.

A slot begins as the master pulls the line low. Low until released after 480 us or more: a reset;
15 us or more: the bit 0; less: the bit 1, or a slot in which the chips give the bit. Times are
those of the DS18B20 datasheet (Maxim 19-7487), section 1-Wire Signaling.
"""

from typing import Any

from hedgerow.emulate.pico.pulse_lines import Drive, LowPulses, Now

_US = 1000
_RESET_NS = 470 * _US  # DS: 480; mp_hal_delay_us counts whole us and may end one early
_ZERO_NS = 15 * _US
_PRESENCE_NS = (30 * _US, 150 * _US)  # DS: 15 to 60 us after release, for 60 to 240 us
_GIVEN_ZERO_NS = 30 * _US  # after the master's release; it samples within 15 us


class OneWireLine(LowPulses):
    """Chips: reset(), write_bit(), read_bit(), is_sending."""

    def __init__(self, now_ns: Now, drive: Drive) -> None:
        super().__init__(now_ns, drive)
        self.chips: list[Any] = []

    def _released(self, low_ns: int) -> None:
        if low_ns >= _RESET_NS:
            # Not any(): each chip hears the reset.
            if [chip for chip in self.chips if chip.reset()]:
                self._pull_low(*_PRESENCE_NS)
        elif low_ns >= _ZERO_NS:
            self._write(0)
        elif any(chip.is_sending for chip in self.chips):
            if [chip for chip in self.chips if not chip.read_bit()]:
                self._pull_low(0, _GIVEN_ZERO_NS)
        else:
            self._write(1)

    def _write(self, bit: int) -> None:
        for chip in self.chips:
            chip.write_bit(bit)

    def _pull_low(self, from_ns: int, to_ns: int) -> None:
        self._drive(0, from_ns)
        self._drive(1, to_ns)
