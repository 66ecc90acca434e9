"""What hangs on the emulated Pico's pins: the chips of emulate/chips, as on the Unix port.

    board.attach_i2c(0, 0x76, BME280(board.now_ms))
    board.attach_adc(26, probe)
    board.on_pin(15, pump.on_level)

The same bench functions as emulate/unix/machine.py has, for one board instead of the process.
The chips live here; the emulator asks about each event of a bus and stands still meanwhile
(wiring.mjs).
"""

from collections.abc import Callable, Mapping
from typing import Any

from hedgerow.emulate.pico.onewire_line import OneWireLine
from hedgerow.emulate.pico.soft_i2c_line import SoftI2CLine
from hedgerow.emulate.unix.fake_machine import adc as fake_adc
from hedgerow.errors import DeviceError

_FIRST_ADC_PIN = 26
_N_PINS = 30
_ADC_PINS = range(_FIRST_ADC_PIN, _N_PINS)
_N_BUSES = 2

Bus = int | tuple[int, int]
Level = int | None
Listener = Callable[[Level], None]


class Wiring:
    """send: tells the emulator what there is to ask about."""

    def __init__(self, send: Callable[[Mapping[str, object]], None]) -> None:
        self._send = send
        self._i2c: dict[int, dict[int, Any]] = {}
        self._adc: dict[int, tuple[Any, float]] = {}
        self._listeners: dict[int, list[Listener]] = {}
        self._levels: dict[int, Level] = {}
        self._soft_i2c: dict[tuple[int, int], SoftI2CLine] = {}
        self._onewire: dict[int, OneWireLine] = {}
        self._selected: dict[int, Any] = {}  # bus -> chip of the transfer that is under way
        self._drives: list[tuple[int, Level, int]] = []
        self._answering = False
        self._now_ns = 0

    def now_ms(self) -> int:
        """The chip's time when it last asked, counted on through resets; never goes back."""
        return self._now_ns // 1000000

    def attach_i2c(self, bus: Bus, addr: int, chip: Any) -> None:
        """Put chip at the 7-bit address addr of the hardware bus 0 or 1, or of pins (scl, sda).

        The latter is what SoftI2C needs, and scan() of a hardware bus, which drives its pins.
        """
        if addr not in range(0x80) or (isinstance(bus, int) and bus not in range(_N_BUSES)):
            raise DeviceError(f"pico: no address {addr:#x} on I2C bus {bus}")
        if isinstance(bus, int):
            self._i2c.setdefault(bus, {})[addr] = chip
            self._tell()
            return
        self._soft_line(bus).chips[addr] = chip

    def detach_i2c(self, bus: Bus, addr: int) -> None:
        """Take the chip at addr away; the address then does not answer."""
        if isinstance(bus, int):
            self._i2c.get(bus, {}).pop(addr, None)
        elif bus in self._soft_i2c:
            self._soft_i2c[bus].chips.pop(addr, None)

    def _soft_line(self, pins: tuple[int, int]) -> SoftI2CLine:
        if pins not in self._soft_i2c:
            scl, sda = pins
            line = SoftI2CLine(lambda level: self.drive_pin(sda, level))
            for pin, listener in ((scl, line.on_scl), (sda, line.on_sda)):
                self.drive_pin(pin, 1)  # the pull-up
                self.on_pin(pin, listener)
            self._soft_i2c[pins] = line
        return self._soft_i2c[pins]

    def attach_adc(self, pin: int, source: Any, noise_mv: float = 0) -> None:
        """Connect an ADC pin (26 to 29): a chip with mv(), a callable or a number, in mV."""
        if pin not in _ADC_PINS:
            raise DeviceError(f"pico: pin {pin} has no ADC: pins 26 to 29 do")
        self._adc[pin] = (source, noise_mv)
        self._tell()

    def attach_onewire(self, pin: int, chip: Any) -> None:
        """Add a chip to the 1-Wire bus on that pin; several chips share one pin."""
        if pin not in self._onewire:
            _check_pin(pin)
            line = OneWireLine(
                lambda: self._now_ns, lambda level, after_ns: self.drive_pin(pin, level, after_ns)
            )
            self._onewire[pin] = line
            self.on_pin(pin, line.on_level)
        self._onewire[pin].chips.append(chip)

    def detach_onewire(self, pin: int, chip: Any) -> None:
        """Take one chip off the 1-Wire bus on that pin."""
        line = self._onewire.get(pin)
        if line is not None and chip in line.chips:
            line.chips.remove(chip)

    def on_pin(self, pin: int, callback: Listener) -> None:
        """Call callback(level) as the board's output changes: 0, 1, None: no longer driven."""
        _check_pin(pin)
        self._listeners.setdefault(pin, []).append(callback)
        self._tell()

    def pin(self, pin: int) -> Level:
        """Level that the board drives, as heard since the first on_pin or pin of this pin."""
        if pin not in self._listeners:
            self.on_pin(pin, lambda level: None)
        return self._levels.get(pin)

    def drive_pin(self, pin: int, level: Level, after_ns: int = 0) -> None:
        """Force a level from outside after some of the chip's time; None lets go."""
        _check_pin(pin)
        self._drives.append((pin, level, after_ns))
        if not self._answering:
            self._tell()

    def answer(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        """Answer to a question of wiring.mjs."""
        self._now_ns = max(self._now_ns, question["ns"])
        self._answering = True
        try:
            answer = _ANSWERS[question["ask"]](self, question)
        finally:
            self._answering = False
        return {**answer, "drive": self._take_drives()}

    def _tell(self) -> None:
        channels = [pin - _FIRST_ADC_PIN for pin in self._adc]
        wires = {"i2c": list(self._i2c), "adc": channels, "listen": list(self._listeners)}
        self._send({**wires, "drive": self._take_drives()})

    def _take_drives(self) -> list[tuple[int, Level, int]]:
        drives, self._drives = self._drives, []
        return drives

    def _stuck(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        chips = self._i2c[question["bus"]].values()
        return {"stuck": any(getattr(chip, "holds_bus", False) for chip in chips)}

    def _start(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        chip = self._i2c[question["bus"]].get(question["addr"])
        self._selected[question["bus"]] = chip
        return {"ack": chip is not None and bool(chip.start(question["reading"]))}

    def _write(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        return {"ack": bool(self._selected[question["bus"]].write(question["byte"]))}

    def _read(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        return {"byte": self._selected[question["bus"]].read() & 0xFF}

    def _stop(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        self._selected[question["bus"]].stop()
        return {}

    def _adc_read(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        source, noise_mv = self._adc[_FIRST_ADC_PIN + question["channel"]]
        return {"raw": fake_adc.counts(source, noise_mv)}

    def _pin_changed(self, question: Mapping[str, Any]) -> Mapping[str, object]:
        pin, level = question["pin"], question["level"]
        self._levels[pin] = level
        for listener in self._listeners[pin]:
            listener(level)
        return {}


def _check_pin(pin: int) -> None:
    if pin not in range(_N_PINS):
        raise DeviceError(f"pico: no pin {pin}: there are 0 to {_N_PINS - 1}")


_ANSWERS: dict[str, Callable[[Wiring, Mapping[str, Any]], Mapping[str, object]]] = {
    "stuck": Wiring._stuck,
    "start": Wiring._start,
    "write": Wiring._write,
    "read": Wiring._read,
    "stop": Wiring._stop,
    "adc": Wiring._adc_read,
    "pin": Wiring._pin_changed,
}
