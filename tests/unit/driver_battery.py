"""One battery of tests for every sensor driver: cases(rows) makes a TestCase of each row.

A row is a dict:
  driver      name of the file in hedge.drivers; its DRIVER says channels, times, bus, addresses
  points      ((inputs of the simulated chip, expected out), ...): between and at the range ends
  tolerance   one number a channel: what the chip's own steps and the driver's rounding may cost
  examples    ((bytes, expected out), ...) from a datasheet, a recording or a vendor's tool, for
              decode_into; or a text that says why there are none
  foreign     function(chip) that makes it identify as another chip; None if it has no identity
  faults      {fault of the chip: the error it must give, or None if the reading must be right}
Optional:
  make_chip   function(now_ms) -> simulated chip; else the class of the same name in emulate/chips
  args        keyword arguments of the driver
  examples_within  how far a driver's rounding may be off the examples; else 0.5
  disturb     function(chip): settings that another program left in it
  prepare     function(sensor): what decode_into needs before it can run (trimming values)
  partial_range  why the points do not reach the ends of the declared range
  wrong       error of an absent chip where it is not OSError (a cut analog line is a voltage)
"""

import errno
import gc
import unittest
from array import array

import machine
from driver_bench import UPY, Bench, Tape, locked_heap, read
from driver_rows import chip_of, driver_module, feel, key_of

from hedge.core.errors import SensorError

WHERE = {
    "adc": 26,
    "dht": 14,
    "i2c": "i2c0",
    "input_pin": 13,
    "onewire": 16,
    "echo": (18, 19),
    "pins": (9, 10, 11, 12),
    "pwm": 8,
    "spi": ("spi0", 17),
    "uart": "uart0",
    "ws2812": 7,
}
_UNTOUCHED = -123456789


class _Case(unittest.TestCase):
    """What all rows go through; ROW is set by cases()."""

    ROW = None

    def setUp(self):
        self.bench = Bench()
        row = self.ROW
        self.module = driver_module(row["driver"])
        self.entry = self.module.DRIVER
        self.chip = chip_of(row, self.entry, self.bench.now_ms)
        self._attach()
        self.args = row.get("args", {})
        freq_hz = min(self.entry.get("max_hz", 0) or 400000, 400000)
        self.bus = self.bench.board_at(freq_hz).bus(self.entry["bus"], WHERE[self.entry["bus"]])
        self.sensor = self._driver(self.bus)
        self.out = array("i", [_UNTOUCHED] * (len(self.entry["channels"]) + 1))

    def tearDown(self):
        self.bench.close()

    def _driver(self, bus):
        return getattr(self.module, self.entry["class"])(bus, **self.args)

    def _feel(self, inputs):
        feel(self.chip, inputs)

    def _near(self, expected, what):
        for i, value in enumerate(expected):
            limit = self.ROW["tolerance"][i]
            name = self.entry["channels"][i][0]
            self.assertAlmostEqual(self.out[i], value, delta=limit, msg="%s of %s" % (name, what))
        self.assertEqual(self.out[len(expected)], _UNTOUCHED)

    def _right(self, point=0, sensor=None):
        inputs, expected = self.ROW["points"][point]
        self._feel(inputs)
        read(sensor or self.sensor, self.out)
        self._near(expected, inputs)
        self._blank()

    def _blank(self):
        for i in range(len(self.out)):
            self.out[i] = _UNTOUCHED

    def _fails(self, error, what=None):
        try:
            read(self.sensor, self.out)
        except error as caught:
            for value in self.out:
                self.assertEqual(value, _UNTOUCHED, what)
            return caught
        self.fail("%r was not raised: %r" % (error, what))
        return None

    def _right_or_refused(self, point, finish):
        """A reading that may fail by a named error but must not be wrong."""
        inputs, expected = self.ROW["points"][point]
        try:
            finish()
        except (OSError, SensorError):
            self.assertEqual(self.out[0], _UNTOUCHED)
        else:
            self._near(expected, inputs)
        self._blank()

    def test_points(self):
        for i in range(len(self.ROW["points"])):
            self._right(i)
        self.assertEqual(getattr(self.chip, "unknown_commands", 0), 0)

    def test_points_reach_both_ends_of_every_range(self):
        if "partial_range" in self.ROW:
            self.skipTest(self.ROW["partial_range"])
        for i, (name, _, scale, low, high) in enumerate(self.entry["channels"]):
            values = [expected[i] for _, expected in self.ROW["points"]]
            limit = self.ROW["tolerance"][i]
            self.assertAlmostEqual(min(values), low * scale, delta=limit, msg=name)
            self.assertAlmostEqual(max(values), high * scale, delta=limit, msg=name)

    def test_published_examples(self):
        examples = self.ROW["examples"]
        if isinstance(examples, str):
            self.skipTest("no published example: " + examples)
        if "prepare" in self.ROW:
            self.ROW["prepare"](self.sensor)
        within = self.ROW.get("examples_within", 0.5)
        for data, expected in examples:
            self.sensor.decode_into(data, self.out)
            for i, value in enumerate(expected):
                self.assertAlmostEqual(self.out[i], value, delta=within, msg=data)

    def test_time_per_read_is_within_the_declared_time(self):
        for limit_ms in (
            self.entry["first_ms"],
            self.entry["convert_ms"],
            self.entry["convert_ms"],
        ):
            began_ms = self.bench.now_ms()
            self._right()
            self.assertLessEqual(self.bench.now_ms() - began_ms, limit_ms + 1)

    def test_settings_of_another_program_do_not_matter(self):
        if "disturb" in self.ROW:
            self.ROW["disturb"](self.chip)
        for i in range(len(self.ROW["points"])):
            self._right(i)
        self.sensor = self._driver(self.bus)  # the board restarted, the chip did not
        self._right(2)

    def test_start_and_poll_by_hand(self):
        self._feel(self.ROW["points"][1][0])
        wait_ms = self.sensor.start()
        for _ in range(1000):
            self.bench.clock.now_ms += max(wait_ms, 1)
            if self.sensor.poll(self.out):
                break
        self._near(self.ROW["points"][1][1], "by hand")

    def test_faults(self):
        faults = self.ROW["faults"]
        for name in self.chip.FAULTS:
            self._right()
            self.chip.fault = name
            if faults[name] is None:
                self._right()
            else:
                self._fails(faults[name], name)
            self.chip.fault = None
            self._right(1)

    def test_no_allocation(self):
        if not UPY:
            self.skipTest("needs the MicroPython heap")
        tape = Tape(self.bus)
        sensor = self._driver(tape)
        self._feel(self.ROW["points"][1][0])
        read(sensor, self.out)
        tape.record()
        read(sensor, self.out)
        tape.play()
        self._blank()
        self._play(sensor, self.entry.get("alloc_bytes", 0))
        self._near(self.ROW["points"][1][1], "from the tape")

    def _play(self, sensor, allowed_bytes):
        out, time = self.out, self.bench.clock
        gc.collect()
        before = gc.mem_alloc()
        if not allowed_bytes:
            with locked_heap():
                time.now_ms += sensor.start()
                while not sensor.poll(out):
                    time.now_ms += 1
            return
        gc.disable()
        time.now_ms += sensor.start()
        while not sensor.poll(out):
            time.now_ms += 1
        used = gc.mem_alloc() - before
        gc.enable()
        self.assertLess(used, allowed_bytes)

    def test_absent_and_back(self):
        self.chip.present = False
        self._fails(self.ROW.get("wrong", OSError))
        self.chip.present = True
        self._right()
        self.chip.present = False
        self._fails(self.ROW.get("wrong", OSError))
        self.chip.present = True
        self._right(2)

    def test_supply_fails_between_two_reads(self):
        self._right()
        self.chip.present = False
        self.chip.present = True
        self._feel(self.ROW["points"][1][0])
        self._right_or_refused(1, lambda: read(self.sensor, self.out))
        self._right(2)

    def test_supply_fails_during_a_read(self):
        self._right()
        self._feel(self.ROW["points"][1][0])
        wait_ms = self.sensor.start()
        self.chip.present = False
        self.chip.present = True

        def finish():
            self.bench.clock.now_ms += wait_ms
            while not self.sensor.poll(self.out):
                self.bench.clock.now_ms += 5

        self._right_or_refused(1, finish)
        self._right(2)

    def test_identity(self):
        foreign = self.ROW["foreign"]
        self.assertEqual(bool(self.entry["who_am_i"]), foreign is not None)
        if foreign is None:
            self.skipTest("the chip has no identity to read")
        foreign(self.chip)
        error = str(self._fails(SensorError))
        self.assertIn(self.ROW["driver"], error)


class _OnI2C(_Case):
    def _attach(self):
        addr = self.ROW.get("args", {}).get("addr", self.entry["addrs"][0])
        machine.attach_i2c(0, addr, self.chip)

    def test_every_declared_address(self):
        if "addr" not in self.entry["params"]:
            self.assertEqual(len(self.entry["addrs"]), 1)
            return
        for addr in self.entry["addrs"]:
            machine.detach_i2c(0, addr)
        for addr in self.entry["addrs"]:
            machine.attach_i2c(0, addr, self.chip)
            self.args = dict(self.ROW.get("args", {}))
            self.args["addr"] = addr
            self._right(0, self._driver(self.bus))
            machine.detach_i2c(0, addr)

    def test_no_acknowledge(self):
        self.chip.present = False
        for number in (errno.ENODEV, errno.EIO):
            machine.I2C.nack_errno = number
            self.assertEqual(self._fails(OSError).args[0], number)

    def test_data_not_acknowledged_where_the_port_does_not_raise(self):
        "As on an RP2: an error, or a right reading of a chip that needs no writing."
        machine.I2C.data_nack_raises = False
        self._right(1)
        for point in (0, 1):
            inputs, expected = self.ROW["points"][point]
            self._feel(inputs)
            self.chip.fault = "nack"
            self._right_or_refused(point, lambda: read(self.sensor, self.out))
            self.chip.fault = None
            self._right(2)

    def test_stuck_bus(self):
        machine.stick_i2c(0)
        self.assertEqual(self._fails(OSError).args[0], errno.ETIMEDOUT)
        machine.stick_i2c(0, False)
        self._right()
        machine.stick_i2c(0)
        self._fails(OSError)
        machine.stick_i2c(0, False)
        self._right(1)

    def test_bus_speed(self):
        max_hz = self.entry["max_hz"]
        self.assertEqual(self.chip.max_hz, max_hz)
        for freq_hz in (100000, max_hz):
            self.sensor = self._driver(self.bench.board_at(freq_hz).i2c("i2c0"))
            self._right()
        self.sensor = self._driver(self.bench.board_at(max_hz + 1).i2c("i2c0"))
        self._fails(OSError)


class _OnOneWire(_Case):
    def _attach(self):
        machine.attach_onewire(WHERE["onewire"], self.chip)


class _OnADC(_Case):
    def _attach(self):
        machine.attach_adc(WHERE["adc"], self.chip)


class _OnDHT(_Case):
    def _attach(self):
        machine.attach_dht(WHERE["dht"], self.chip)


class _OnSPI(_Case):
    def _attach(self):
        machine.attach_spi(0, WHERE["spi"][1], self.chip)


class _OnInputPin(_Case):
    """A contact: what cannot fail is not tested, a cut cable reads as nothing happening."""

    def _attach(self):
        self.chip.drive = lambda level: machine.drive_pin(WHERE["input_pin"], level)
        self.chip.drive(self.chip.IDLE)
        self.bench.clock.each_ms = self.chip.step

    def _feel(self, inputs):
        _Case._feel(self, inputs)
        self.bench.clock.pass_ms(self.ROW.get("pass_ms", 0))

    def test_faults(self):
        if not self.chip.FAULTS:
            self.skipTest("the output has no fault that a driver could see")
        _Case.test_faults(self)

    def test_no_allocation(self):
        if not UPY:
            self.skipTest("needs the MicroPython heap")
        self._feel(self.ROW["points"][1][0])
        self.bench.clock.pass_ms(self.sensor.start())
        with locked_heap():
            self.sensor.start()
            self.sensor._on_edge(None)
            self.sensor.poll(self.out)
        self.assertNotEqual(self.out[0], _UNTOUCHED)

    def test_start_and_poll_by_hand(self):
        self._feel(self.ROW["points"][1][0])
        self.bench.clock.pass_ms(self.sensor.start())
        self.assertTrue(self.sensor.poll(self.out))
        self._near(self.ROW["points"][1][1], "by hand")

    def test_absent_and_back(self):
        self.chip.present = False
        self._feel(self.ROW["points"][1][0])
        read(self.sensor, self.out)
        self.assertEqual(self.out[0], 0)
        self._blank()
        self.chip.present = True
        self._right(1)

    def test_time_per_read_is_within_the_declared_time(self):
        for limit_ms in (self.entry["first_ms"], self.entry["convert_ms"]):
            self._feel(self.ROW["points"][1][0])
            began_ms = self.bench.now_ms()
            read(self.sensor, self.out)
            self.assertLessEqual(self.bench.now_ms() - began_ms, limit_ms + 1)

    def test_supply_fails_between_two_reads(self):
        self.skipTest("a contact keeps no state")

    def test_supply_fails_during_a_read(self):
        self.skipTest("a contact keeps no state")


class _OnPins(_Case):
    def _attach(self):
        self.chip.attach(*WHERE[self.entry["bus"]][:2])

    def test_no_allocation(self):
        """Simulated pins allocate: pins with recorded levels instead."""
        if not UPY:
            self.skipTest("needs the MicroPython heap")
        bus, expected = self.ROW["recorded"]()
        sensor = self._driver(bus)
        read(sensor, self.out)
        self._blank()
        self.bench.clock.now_ms += 1000
        out, time = self.out, self.bench.clock
        gc.collect()
        with locked_heap():
            time.now_ms += sensor.start()
            while not sensor.poll(out):
                time.now_ms += 1
        self._near(expected, "from the record")


class _OnUART(_Case):
    def _attach(self):
        machine.attach_uart(WHERE["uart"], self.chip)

    def test_the_error_counts_what_was_heard(self):
        self._right()
        self.chip.fault = "cut"
        words = str(self._fails(SensorError)).split()
        self.assertGreater(int(words[1]), 3)  # "mhz19: 4 bytes, 0 spoilt frames, none good"

    def test_a_frame_that_came_before_the_read_does_not_count(self):
        self._right(0)
        self.bench.clock.now_ms += 10 * max(self.entry["convert_ms"], 1)
        self.bus.any()  # frames of the old value lie in the buffer
        self._right(1)

    def test_a_line_that_was_cut_in_the_middle_of_a_frame(self):
        self._feel(self.ROW["points"][0][0])
        self.sensor.start()
        self.bench.clock.now_ms += 2
        self.bus.any()  # some bytes have arrived
        self.chip.power_on()
        self._right(1)


_BY_BUS = {
    "adc": _OnADC,
    "dht": _OnDHT,
    "echo": _OnPins,
    "i2c": _OnI2C,
    "input_pin": _OnInputPin,
    "onewire": _OnOneWire,
    "pins": _OnPins,
    "spi": _OnSPI,
    "uart": _OnUART,
}


def cases(rows):
    """{class name: TestCase} for the globals of a test module."""
    made = {}
    for row in rows:
        base = _BY_BUS[driver_module(row["driver"]).DRIVER["bus"]]
        name = "TestBattery_" + key_of(row)
        made[name] = type(name, (base,), {"ROW": row})
    return made
