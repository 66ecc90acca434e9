"""The simulated bench of one node: chips on the pins of its plan, fed by a world.

    scene = Scene(plan, world_data, start_s, now_ms, faults=[])
    scene.advance(now_s)        # the world moves, the chips show it
    scene.connect_pumps(save)   # relays water the world

A world is a Field or a Recording. A chip whose sensor has no value (a gap of the recording, or no
column at all) is absent: its bus does not answer, its ADC pin is open. A chip with some of its
channels recorded shows its power-on value on the others. The battery is simple and made up:
charged by day, fullest in the afternoon. A field has air and soil; what else a chip measures
(light, gas, current) stays at the chip's own first value, and contacts stay at rest.

Faults: [{"sensor", "fault", "from_s", "to_s"}], fault "absent" or a name in the chip's FAULTS.
bench: where chips are attached, by default the fake `machine` of emulate/unix; pico/field.py has
that of the emulated Pico. Runs under both Pythons.
"""

from math import cos, pi

from .chips.battery import Battery
from .chips.bme280 import BME280
from .chips.chip import Chip
from .chips.ds18b20 import DS18B20
from .chips.pump import Pump
from .chips.soil_probe import SoilProbe
from .field import DAY_S, Field
from .outputs import connect
from .replay import Recording

_SHOW_S = 1.5  # longer than any conversion: one look at the world for one reading of all sensors
_FULL_H = 15.0
_STAYS = object()  # in a field: the chip keeps what it has
_CHARGE_PCT = (70.0, 80.0)


def charge_pct(local_s):
    """State of charge of the made-up battery."""
    wave = cos(2.0 * pi * (local_s % DAY_S / 3600.0 - _FULL_H) / 24.0)
    low, high = _CHARGE_PCT
    return low + (high - low) * (1.0 + wave) / 2.0


def _cell_charge_pct(volts):
    """Charge at which the simulated cell has this voltage; a recording gives volts."""
    low, high = 0.0, 100.0
    cell = Battery()
    for _ in range(20):
        cell.charge_pct = (low + high) / 2.0
        low, high = (
            (low, cell.charge_pct) if cell.cell_mv() > volts * 1000 else (cell.charge_pct, high)
        )
    return low


class FieldWorld:
    """A Field as the scene sees it: a value for each driver's channel."""

    def __init__(self, data, start_s):
        self._field = Field(
            data["soil"],
            data["site"],
            data["days"],
            start_s,
            seed=data["seed"],
            dry_pct=data["dry_pct"],
            vwc_pct=data.get("vwc_pct"),
        )
        self._offset_s = data["site"]["utc_offset_s"]
        self._now_s = start_s
        self._readers = {
            "soil_probe.vwc": self._field.vwc_pct,
            "ds18b20.temp": self._field.soil_temp_c,
            "bme280.temp": self._field.air_temp_c,
            "bme280.humidity": self._field.humidity_pct,
            "bme280.pressure": self._field.pressure_pa,
            "battery.charge": self._charge_pct,
        }
        self._air = {
            "temp": self._field.air_temp_c,
            "humidity": self._field.humidity_pct,
            "pressure": self._field.pressure_pa,
        }

    def _charge_pct(self):
        return charge_pct(int(self._now_s) + self._offset_s)

    def advance(self, now_s):
        self._now_s = now_s
        self._field.advance(now_s)

    def value(self, channel, quantity):
        """channel is for recordings; quantity is driver.channel."""
        reader = self._readers.get(quantity) or self._air.get(quantity.split(".")[1])
        return reader() if reader else _STAYS

    def pump(self, on, litres_per_min, now_s):
        self._field.pump(on, litres_per_min, now_s)

    def totals(self):
        return self._field.totals()

    def state(self):
        return self._field.state()

    def restore(self, state, now_s, died_s, longest_on_s):
        """Continue a saved world after a power cut: the pump ran on until the power went."""
        if state is None:
            return
        self._field.restore(state)
        off_s = now_s if died_s is None else min(max(died_s, now_s), now_s + longest_on_s)
        self._field.pump(False, 0, off_s)


class RecordingWorld:
    """A Recording as the scene sees it; it cannot answer to watering."""

    def __init__(self, data, start_s):
        self._recording = Recording(data)

    def advance(self, now_s):
        self._recording.advance(now_s)

    def value(self, channel, quantity):
        if quantity == "battery.charge":
            volts = self._recording.value(channel)
            return None if volts is None else _cell_charge_pct(volts)
        return self._recording.value(channel)

    def pump(self, on, litres_per_min, now_s):
        pass  # a recording is what it is

    def totals(self):
        return {}

    def state(self):
        return {}

    def restore(self, state, now_s, died_s, longest_on_s):
        pass  # all of it is in the file


WORLDS = {"field": FieldWorld, "replay": RecordingWorld}


# One function per driver: wire the chip to the pins of the plan, and say which of its attributes
# shows which channel: ((attribute, channel, quantity), ...).


def _wire_soil_probe(sensor, now_ms, bench):
    args = sensor["args"]
    keys = ("dry_mv", "wet_mv", "dry_pct", "wet_pct")
    chip = SoilProbe(**{key: args[key] for key in keys if key in args})
    bench.attach_adc(sensor["bus"][1], chip)
    return chip, (("vwc_pct", "vwc", "soil_probe.vwc"),)


def _wire_ds18b20(sensor, now_ms, bench):
    chip = DS18B20(now_ms)
    if sensor["args"].get("rom"):
        from binascii import unhexlify

        chip.rom = unhexlify(sensor["args"]["rom"])
    bench.attach_onewire(sensor["bus"][1], chip)
    return chip, (("temp_c", "temp", "ds18b20.temp"),)


def _wire_bme280(sensor, now_ms, bench):
    chip = BME280(now_ms)
    bench.attach_i2c(sensor["bus"][1], sensor["args"].get("addr", 0x76), chip)
    return chip, (
        ("temp_c", "temp", "bme280.temp"),
        ("humidity_pct", "humidity", "bme280.humidity"),
        ("pressure_pa", "pressure", "bme280.pressure"),
    )


def _wire_battery(sensor, now_ms, bench):
    args = sensor["args"]
    keys = ("r_top_ohm", "r_bottom_ohm")
    chip = Battery(**{key: args[key] for key in keys if key in args})
    bench.attach_adc(sensor["bus"][1], chip)
    return chip, (("charge_pct", "voltage", "battery.charge"),)


def _wire_by_name(sensor, now_ms, bench):
    """Any other driver: the chip of the same name, whose INPUTS name what it shows."""
    if sensor["bus"][0] == "input_pin":
        return Chip(), ()  # the pin's own pull is the contact at rest
    name = sensor["module"]
    module = getattr(__import__("hedgerow.emulate.chips." + name).emulate.chips, name)
    chip = getattr(module, sensor["class"])(now_ms)
    _ATTACH[sensor["bus"][0]](sensor, chip, bench)
    inputs = [
        (attribute, channel, "%s.%s" % (name, channel), factor)
        for attribute, channel, factor in getattr(chip, "INPUTS", ())
    ]
    return chip, inputs


def _attach_i2c(sensor, chip, bench):
    name = sensor["module"]
    driver = getattr(__import__("hedge.drivers." + name).drivers, name).DRIVER
    addr = sensor["args"].get("addr", driver["addrs"][0])
    bench.attach_i2c(sensor["bus"][1], addr, chip)


def _attach_spi(sensor, chip, bench):
    bus, cs = sensor["bus"][1]
    bench.attach_spi(int(bus[3:]), cs, chip)


_ATTACH = {
    "adc": lambda sensor, chip, bench: bench.attach_adc(sensor["bus"][1], chip),
    "dht": lambda sensor, chip, bench: bench.attach_dht(sensor["bus"][1], chip),
    "echo": lambda sensor, chip, bench: chip.attach(*sensor["bus"][1], machine=bench),
    "i2c": _attach_i2c,
    "onewire": lambda sensor, chip, bench: bench.attach_onewire(sensor["bus"][1], chip),
    "pins": lambda sensor, chip, bench: chip.attach(*sensor["bus"][1], machine=bench),
    "spi": _attach_spi,
    "uart": lambda sensor, chip, bench: bench.attach_uart(sensor["bus"][1], chip),
}

WIRING = {
    "soil_probe": _wire_soil_probe,
    "ds18b20": _wire_ds18b20,
    "bme280": _wire_bme280,
    "battery": _wire_battery,
}


class _Shown:
    """One chip and where its inputs come from."""

    def __init__(self, sensor, now_ms, bench):
        self.name = sensor["name"]
        wire = WIRING.get(sensor["driver"], _wire_by_name)
        self.chip, inputs = wire(sensor, now_ms, bench)
        self._inputs = [
            (row[0], "%s.%s" % (self.name, row[1]), row[2], row[3] if len(row) > 3 else None)
            for row in inputs
        ]

    def show(self, world, away):
        """Set the chip's inputs; away: a scripted fault has taken it off."""
        known = not self._inputs
        for attribute, channel, quantity, factor in self._inputs:
            value = world.value(channel, quantity)
            if value is None:
                continue
            known = True
            if value is not _STAYS:
                setattr(
                    self.chip, attribute, value if factor is None else int(value * factor + 0.5)
                )
        present = known and not away
        if present != self.chip.present:
            self.chip.present = present


class Scene:
    """Owns chips and world. now_ms(): virtual ms that never go back."""

    def __init__(self, plan, data, start_s, now_ms, faults=None, bench=None):
        if bench is None:
            import machine as bench
        self._bench = bench
        self._plan = plan
        self._now_ms = now_ms
        self._faults = faults or []
        self._meters = {}  # by actuator
        self.world = WORLDS[data["kind"]](data, start_s)
        self._shown = [_Shown(sensor, now_ms, bench) for sensor in plan["sensors"]]
        self._now_s = start_s
        self._shown_s = None

    def advance(self, now_s):
        """Bring world and chips to now_s; chips keep their inputs while sensors convert."""
        self._now_s = now_s
        for name in self._meters:
            self._meters[name].advance(self._now_ms())
        if self._shown_s is not None and now_s - self._shown_s < _SHOW_S:
            return
        self._shown_s = now_s
        self.world.advance(now_s)
        for shown in self._shown:
            fault = self._fault_of(shown.name, now_s)
            shown.show(self.world, fault == "absent")
            shown.chip.fault = None if fault == "absent" else fault

    def _fault_of(self, name, now_s):
        for fault in self._faults:
            if fault["sensor"] == name and fault["from_s"] <= now_s < fault["to_s"]:
                return fault["fault"]
        return None

    def connect_pumps(self, save):
        """Let each actuator of the plan water the world; save() is called after each switch."""
        for actuator in self._plan["actuators"]:
            active_high = actuator["args"].get("active_high", True)
            pump = Pump(self._now_ms, active_high=active_high)
            litres_per_min = actuator.get("ml_per_min", 0) / 1000
            listen = self._listener(pump, litres_per_min, save, actuator["name"])
            meter = connect(self._bench, actuator, listen, 1 if active_high else 0)
            if meter is not None:
                self._meters[actuator["name"]] = meter

    def _listener(self, pump, litres_per_min, save, name):
        def on_level(level):
            before = pump.is_on
            pump.on_level(level)
            if pump.is_on != before:
                if name in self._meters:
                    self._meters[name].flow(pump.is_on, self._now_ms())
                if litres_per_min:  # what moves no water leaves the world alone
                    self.world.pump(pump.is_on, litres_per_min, self._now_s)
                save()

        return on_level

    def restore(self, state, now_s, died_s):
        """Continue after a power cut at died_s (None: not known); state None is a fresh world."""
        longest_s = max([a["max_on_s"] for a in self._plan["actuators"]] or [0])
        self.world.restore(state, now_s, died_s, longest_s)

    def state(self):
        """The world for world.json."""
        return self.world.state()

    def totals(self):
        """What the world counted; empty for a recording."""
        return self.world.totals()
