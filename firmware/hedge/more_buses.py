"""Buses that few nodes have: Board.bus imports this file when one is asked for, not before.

    BUILDERS[kind](board, where) -> a driver's first argument

    "dht"  where: pin. A function readinto(buf): one transfer of a DHT sensor, 5 bytes.
    "spi"  where: (bus, pin of the chip select), e.g. ("spi0", 17). An SPIDevice.
    "uart"  where: bus, e.g. "uart0", {"kind": "uart", "id": 0, "tx": 0, "rx": 1}. A machine.UART
        whose speed the driver sets.
    "input_pin"  where: pin. A machine.Pin; the driver makes it an input.
    "echo"  where: (trigger pin, echo pin). An EchoTimer.
    "pwm"  where: pin. A machine.PWM at 50 Hz and duty 0.
    "ws2812"  where: pin. A BitStream.
    "pins"  where: several pins. A tuple of machine.Pin.
    "lora"  where: (chip, bus, cs, reset, dio0 or busy, dio1, TCXO in mV or 0), pins -1 where not
        wired. A driver of micropython-lib's package `lora`.

With board.py the only users of `machine`.
"""

import time

import machine


class SPIDevice:
    """One chip on an SPI bus, selected while its pin is low. Does not allocate in a transfer."""

    def __init__(self, spi, cs):
        self._spi = spi
        self._cs = cs
        cs.init(cs.OUT, value=1)

    def write_readinto(self, out, into):
        """Full duplex; buffers of one length. The chip is let go whatever happens."""
        self._cs.value(0)
        try:
            self._spi.write_readinto(out, into)
        finally:
            self._cs.value(1)


class EchoTimer:
    """A pulse out, the length of the pulse that answers. Blocks for as long."""

    def __init__(self, trigger, echo):
        self._trigger, self._echo = trigger, echo
        trigger.init(trigger.OUT, value=0)
        echo.init(echo.IN)

    def pulse_us(self, timeout_us):
        """us of the answer; -2 if it does not begin, -1 if it does not end in time."""
        self._trigger.value(1)
        time.sleep_us(10)
        self._trigger.value(0)
        return machine.time_pulse_us(self._echo, 1, timeout_us)


class BitStream:
    """Bytes as the pulses of a WS2812; interrupts wait meanwhile, 30 us a LED."""

    TIMING_NS = (400, 850, 800, 450)

    def __init__(self, pin):
        self._pin = pin
        pin.init(pin.OUT, value=0)

    def write(self, buf):
        machine.bitstream(self._pin, 0, self.TIMING_NS, buf)


def _dht(board, where):
    pin = machine.Pin(where)
    transfer = machine.dht_readinto  # in RP2, ESP32 and others since 1.20; OSError if silent

    def readinto(buf):
        transfer(pin, buf)

    return readinto


def _spi(board, where):
    bus_id, cs = where
    return SPIDevice(
        board.once("spi", bus_id, lambda _: _make_spi(board, bus_id)), machine.Pin(cs)
    )


def _make_spi(board, bus_id):
    bus = board.bus_table(bus_id)
    pins = {name: machine.Pin(bus[name]) for name in ("sck", "mosi", "miso")}
    return machine.SPI(bus["id"], baudrate=bus["freq_hz"], **pins)


def _uart(board, where):
    bus = board.bus_table(where)
    tx, rx = machine.Pin(bus["tx"]), machine.Pin(bus["rx"])
    # Half a second at 9600 baud: RP2's default of 256 bytes loses sentences of a GPS.
    return machine.UART(bus["id"], baudrate=9600, tx=tx, rx=rx, rxbuf=512)


def _input_pin(board, where):
    return machine.Pin(where)


def _echo(board, where):
    trigger, echo = where
    return EchoTimer(machine.Pin(trigger), machine.Pin(echo))


def _pwm(board, where):
    return machine.PWM(machine.Pin(where), freq=50, duty_u16=0)


def _ws2812(board, where):
    return BitStream(machine.Pin(where))


def _pins(board, where):
    return tuple([machine.Pin(pin) for pin in where])


def _lora(board, where):
    chip, bus_id, cs, reset, first, dio1, tcxo_mv = where
    pins = {"cs": cs, "reset": reset, "dio1": dio1, _FIRST_PIN[chip[:5]]: first}
    wired = {name: machine.Pin(pin) for name, pin in pins.items() if pin != -1}
    spi = board.once("spi", bus_id, lambda _: _make_spi(board, bus_id))
    more = {"dio3_tcxo_millivolts": tcxo_mv} if tcxo_mv else {}
    lora = __import__("lora")  # packages lora-sync and lora-sx127x or lora-sx126x
    return getattr(lora, chip.upper())(spi=spi, **wired, **more)


_FIRST_PIN = {"sx127": "dio0", "sx126": "busy"}

BUILDERS = {
    "dht": _dht,
    "echo": _echo,
    "input_pin": _input_pin,
    "lora": _lora,
    "pins": _pins,
    "pwm": _pwm,
    "spi": _spi,
    "uart": _uart,
    "ws2812": _ws2812,
}
