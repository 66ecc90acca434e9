"""The pins and buses of this board: with more_buses.py the only user of `machine`.

    board = Board(plan["board"])
    sensor = BME280(board.i2c("i2c0"))
    relay = Relay(board.output_pin(15))

The table comes from the compiled node file:
    {"name": "RPI_PICO", "port": "rp2",
     "buses": {"i2c0": {"kind": "i2c", "id": 0, "scl": 5, "sda": 4, "freq_hz": 400000}}}
Pins are CPU pin numbers. Everything is built on first use and kept, so two sensors on one bus
share one object. Data flow: table in, bus objects out to the drivers.
"""

import machine

from .core.errors import ConfigError

_RP2_WDT_MS = 8388  # 24 bits of microseconds, halved by erratum RP2040-E1
_ESP32_TIMERS = 4
_CAUSES = ("PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET")


class Board:
    """Builds what a driver's first argument is. Raises ConfigError naming board, pin or bus."""

    def __init__(self, table):
        self.name = table.get("name", "?")
        self.port = table.get("port", "")
        self._buses = table.get("buses", {})
        self._built = {}
        self._timers = 0  # handed out so far

    def bus(self, kind, where):
        """A driver's first argument, from the plan's `bus` pair, e.g. ("adc", 26)."""
        builders = {
            "i2c": self.i2c,
            "adc": self.adc,
            "onewire": self.onewire,
            "output_pin": self.output_pin,
        }
        if kind in builders:
            return builders[kind](where)
        from .more_buses import BUILDERS  # seldom used: not in every node's heap

        if kind not in BUILDERS:
            known = sorted(builders) + sorted(BUILDERS)
            self._refuse("bus kind %r" % (kind,), "is not one of %s" % known)
        key = tuple(where) if isinstance(where, list) else where
        return self.once(kind, key, lambda place: BUILDERS[kind](self, place))

    def i2c(self, bus_id):
        """machine.I2C of that id, e.g. "i2c0"."""
        return self.once("i2c", bus_id, self._make_i2c)

    def adc(self, pin):
        """machine.ADC on that pin, full input range."""
        return self.once("adc", pin, self._make_adc)

    def onewire(self, pin):
        """onewire.OneWire on that pin."""
        return self.once("onewire", pin, self._make_onewire)

    def output_pin(self, pin):
        """machine.Pin, still an input: the driver sets its safe level and OUT in one step."""
        return self.once("pin", pin, machine.Pin)

    def wdt(self, timeout_ms):
        """Start the watchdog: from now on feed() it or the board resets; it cannot be stopped."""
        if self.port == "rp2" and timeout_ms > _RP2_WDT_MS:
            self._refuse("watchdog %d ms" % timeout_ms, "RP2 has at most %d ms" % _RP2_WDT_MS)
        return self.once("wdt", timeout_ms, lambda ms: machine.WDT(timeout=ms))

    def timer(self):
        """A hardware timer of its own for each call, or None on the Unix port.

        There the fake timer runs on wall time while device time is steered by the simulator.
        RP2 has any number of virtual timers, ESP32 four.
        """
        if self.port == "unix":
            return None
        number = -1 if self.port == "rp2" else self._timers
        self._timers += 1
        if number >= _ESP32_TIMERS:
            self._refuse("timer %d" % number, "there are %d" % _ESP32_TIMERS)
        return machine.Timer(number)

    def reset_cause(self):
        """One of power_on, hard, wdt, deepsleep, soft or unknown."""
        cause = machine.reset_cause()
        for name in _CAUSES:
            if getattr(machine, name, None) == cause:
                return name[:-6].lower().replace("pwron", "power_on")
        return "unknown"

    def retained(self):
        """Bytes kept through deep sleep and resets, b"" after power-on or where a port has
        none."""
        memory = getattr(machine.RTC(), "memory", None)
        return bytes(memory()) if memory else b""

    def retain(self, data):
        """Keep data (bytes, a few hundred at most) through deep sleep; False if the port
        cannot."""
        memory = getattr(machine.RTC(), "memory", None)
        if memory is None:
            return False
        memory(data)
        return True

    def deep_sleep(self, ms):
        """Switch actuators off first. Does not return: the board starts anew after ms."""
        machine.deepsleep(ms)

    def reset(self):
        """Restart the board at once; does not return."""
        machine.reset()

    def unique_id(self):
        """Bytes that differ between boards of one kind."""
        return machine.unique_id()

    def once(self, kind, where, make):
        """make(where), built on first use and kept. Raises ConfigError if it cannot be built."""
        key = (kind, where)
        if key not in self._built:
            try:
                self._built[key] = make(where)
            except (ValueError, TypeError, KeyError, OSError) as error:
                self._refuse("%s %r" % (kind, where), repr(error))
        return self._built[key]

    def bus_table(self, bus_id):
        """What the plan says of a bus."""
        if bus_id not in self._buses:
            self._refuse("bus %r" % (bus_id,), "is not one of %s" % sorted(self._buses))
        return self._buses[bus_id]

    def _make_i2c(self, bus_id):
        bus = self.bus_table(bus_id)
        scl, sda = machine.Pin(bus["scl"]), machine.Pin(bus["sda"])
        return machine.I2C(bus["id"], scl=scl, sda=sda, freq=bus["freq_hz"])

    def _make_adc(self, pin):
        if self.port == "esp32":
            return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)
        return machine.ADC(machine.Pin(pin))

    def _make_onewire(self, pin):
        import onewire  # frozen in the images of RP2 and ESP32

        return onewire.OneWire(machine.Pin(pin))

    def _refuse(self, what, why):
        raise ConfigError("board %s: %s: %s" % (self.name, what, why))
