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

from hedgerow.emulate.pico.i2c_buses import Answer, I2CBuses, Question
from hedgerow.emulate.pico.onewire_line import OneWireLine
from hedgerow.emulate.pico.pulse_lines import BitStreamLine, DHTLine, PulseMeter
from hedgerow.emulate.pico.serial_lines import SPILine, UARTLine
from hedgerow.emulate.pico.soft_i2c_line import SoftI2CLine
from hedgerow.emulate.unix.fake_machine import adc as fake_adc
from hedgerow.errors import DeviceError

_FIRST_ADC_PIN = 26
_N_PINS = 30
_ADC_PINS = range(_FIRST_ADC_PIN, _N_PINS)
_N_SERIAL = 2  # SPI and UART controllers
_ECHO_BEGINS_NS = 450000  # after the trigger: a burst of 8 cycles at 40 kHz, and then some

Bus = int | tuple[int, int]
Level = int | None
Listener = Callable[[Level], None]


class Wiring:
    """send: tells the emulator what there is to ask about."""

    def __init__(self, send: Callable[[Mapping[str, object]], None]) -> None:
        self._send = send
        self._i2c = I2CBuses()
        self._spi: dict[int, SPILine] = {}
        self._uart: dict[int, UARTLine] = {}
        self._adc: dict[int, tuple[Any, float]] = {}
        self._listeners: dict[int, list[Listener]] = {}
        self._levels: dict[int, Level] = {}
        self._soft_i2c: dict[tuple[int, int], SoftI2CLine] = {}
        self._onewire: dict[int, OneWireLine] = {}
        self._asked: dict[int, Callable[[], Level]] = {}  # pins whose level is a function
        self._pulses: dict[int, Callable[[], float | None]] = {}
        self._tickers: list[Callable[[], None]] = []
        self._drives: list[tuple[int, Level, int]] = []
        self._answering = False
        self._now_ns = 0

    def now_ms(self) -> int:
        """The chip's time when it last asked, counted on through resets; never goes back."""
        return self._now_ns // 1000000

    def now_ns(self) -> int:
        """As now_ms()."""
        return self._now_ns

    def attach_i2c(self, bus: Bus, addr: int, chip: Any) -> None:
        """Put chip at the 7-bit address addr of the hardware bus 0 or 1, or of pins (scl, sda).

        The latter is what SoftI2C needs, and scan() of a hardware bus, which drives its pins.
        """
        if addr not in range(0x80) or (isinstance(bus, int) and not self._i2c.has(bus)):
            raise DeviceError(f"pico: no address {addr:#x} on I2C bus {bus}")
        if isinstance(bus, int):
            self._i2c.chips.setdefault(bus, {})[addr] = chip
            self._tell()
            return
        self._soft_line(bus).chips[addr] = chip

    def detach_i2c(self, bus: Bus, addr: int) -> None:
        """Take the chip at addr away; the address then does not answer."""
        if isinstance(bus, int):
            self._i2c.chips.get(bus, {}).pop(addr, None)
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

    def attach_spi(self, bus: int, cs_pin: int, chip: Any) -> None:
        """Put chip on SPI bus 0 or 1, selected while cs_pin is driven low."""
        line = self._spi.setdefault(_check_bus("SPI", bus), SPILine())
        line.attach(cs_pin, chip)
        self.on_pin(cs_pin, lambda level: line.on_cs(cs_pin, level))

    def attach_uart(self, bus: int | str, chip: Any) -> None:
        """Connect a chip to UART 0 or 1 (or "uart0"); None takes it off.

        It is looked at each millisecond.
        """
        number = int(bus.removeprefix("uart")) if isinstance(bus, str) else bus
        self._uart.pop(_check_bus("UART", number), None)
        if chip is not None:
            self._uart[number] = UARTLine(chip)
        self._tell()

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
            line = OneWireLine(self.now_ns, self._drive_of(pin))
            self._onewire[pin] = line
            self.on_pin(pin, line.on_level)
        self._onewire[pin].chips.append(chip)

    def detach_onewire(self, pin: int, chip: Any) -> None:
        """Take one chip off the 1-Wire bus on that pin."""
        line = self._onewire.get(pin)
        if line is not None and chip in line.chips:
            line.chips.remove(chip)

    def attach_dht(self, pin: int, chip: Any) -> None:
        """Put a DHT sensor on that pin."""
        _check_pin(pin)
        self.on_pin(pin, DHTLine(self.now_ns, self._drive_of(pin), chip).on_level)

    def attach_bitstream(self, pin: int, chip: Any) -> None:
        """chip.receive([(high ns, low ns), ...]) gets what comes on that pin between resets."""
        line = BitStreamLine(self.now_ns, chip)
        self.on_pin(pin, line.on_level)
        self.each_ms(line.tick)

    def attach_pulse(self, pin: int, source: Callable[[], float | None]) -> None:
        """source() is asked after each change of a pin: us of a pulse to give, or None."""
        _check_pin(pin)
        self._pulses[pin] = source
        self.drive_pin(pin, 0)

    def pwm_on(self, pin: int) -> PulseMeter:
        """Measures from now on what a PWM makes of that pin."""
        meter = PulseMeter(self.now_ns)
        self.on_pin(pin, meter.on_level)
        return meter

    def each_ms(self, callback: Callable[[], None]) -> None:
        """Call callback() each millisecond of the chip's time."""
        self._tickers.append(callback)
        self._tell()

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

    def drive_pin(self, pin: int, level: Level | Callable[[], Level], after_ns: int = 0) -> None:
        """Force a level from outside after some of the chip's time; None lets go.

        level may be a function: it is asked after each event, and each millisecond.
        """
        _check_pin(pin)
        self._asked.pop(pin, None)
        if callable(level):
            self._asked[pin] = level
            level = level()
        self._drives.append((pin, level, after_ns))
        if not self._answering:
            self._tell()

    def answer(self, question: Question) -> Answer:
        """Answer to a question of wiring.mjs."""
        self._now_ns = max(self._now_ns, question["ns"])
        self._answering = True
        try:
            answer = _ANSWERS[question["ask"]](self, question)
            for pin, level in self._asked.items():
                self._drives.append((pin, level(), 0))
        finally:
            self._answering = False
        return {**answer, "drive": self._take_drives()}

    def _drive_of(self, pin: int) -> Callable[[int, int], None]:
        return lambda level, after_ns: self.drive_pin(pin, level, after_ns)

    def _tell(self) -> None:
        channels = [pin - _FIRST_ADC_PIN for pin in self._adc]
        buses = {"i2c": list(self._i2c.chips), "spi": list(self._spi), "uart": list(self._uart)}
        ticks = bool(self._uart or self._tickers or self._asked)
        pins = {"adc": channels, "listen": list(self._listeners), "ticks": ticks}
        self._send({**buses, **pins, "drive": self._take_drives()})

    def _take_drives(self) -> list[tuple[int, Level, int]]:
        drives, self._drives = self._drives, []
        return drives

    def _spi_byte(self, question: Question) -> Answer:
        return {"byte": self._spi[question["bus"]].transfer(question["byte"])}

    def _uart_byte(self, question: Question) -> Answer:
        line = self._uart.get(question["bus"])
        if line is not None:
            line.hear(question["byte"], question["baud"], self._now_ns)
        return {}

    def _tick(self, question: Question) -> Answer:
        for callback in self._tickers:
            callback()
        bauds = question["bauds"]
        heard = [(bus, line.tick(bauds[bus], self._now_ns)) for bus, line in self._uart.items()]
        return {"uart": [(bus, data) for bus, data in heard if data]}

    def _adc_read(self, question: Question) -> Answer:
        source, noise_mv = self._adc[_FIRST_ADC_PIN + question["channel"]]
        return {"raw": fake_adc.counts(source, noise_mv)}

    def _pin_changed(self, question: Question) -> Answer:
        pin, level = question["pin"], question["level"]
        self._levels[pin] = level
        for listener in self._listeners[pin]:
            listener(level)
        for echo, source in self._pulses.items():
            us = source()
            if us is not None:
                self.drive_pin(echo, 1, _ECHO_BEGINS_NS)
                self.drive_pin(echo, 0, _ECHO_BEGINS_NS + round(us * 1000))
        return {}


def _check_pin(pin: int) -> None:
    if pin not in range(_N_PINS):
        raise DeviceError(f"pico: no pin {pin}: there are 0 to {_N_PINS - 1}")


def _check_bus(kind: str, bus: int) -> int:
    if bus not in range(_N_SERIAL):
        raise DeviceError(f"pico: no {kind} bus {bus}: there are 0 and 1")
    return bus


_ANSWERS: dict[str, Callable[[Wiring, Question], Answer]] = {
    "stuck": lambda wiring, question: wiring._i2c.stuck(question),
    "start": lambda wiring, question: wiring._i2c.start(question),
    "write": lambda wiring, question: wiring._i2c.write(question),
    "read": lambda wiring, question: wiring._i2c.read(question),
    "stop": lambda wiring, question: wiring._i2c.stop(question),
    "spi": Wiring._spi_byte,
    "uart": Wiring._uart_byte,
    "tick": Wiring._tick,
    "adc": Wiring._adc_read,
    "pin": Wiring._pin_changed,
}
