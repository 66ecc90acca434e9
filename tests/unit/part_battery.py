"""One battery of tests for parts that are no sensors (expanders, PWM, switches, displays).

cases(rows) makes a TestCase of each row, a dict:
  driver   name of the file in hedge.drivers
  use      function(part): what a program does with it, at least one write
  right    function(chip) -> bool: use() has reached the chip
  args     keyword arguments of the driver (optional)
  lost     function(part): after a brown-out it raises SensorError; None if the chip cannot tell
"""

import errno
import unittest

import machine
from driver_bench import UPY, Bench, Tape, locked_heap
from driver_rows import chip_class, driver_module

from hedge.core.errors import SensorError


class _Case(unittest.TestCase):
    ROW = None

    def setUp(self):
        row = self.ROW
        self.bench = Bench()
        self.module = driver_module(row["driver"])
        self.entry = self.module.DRIVER
        self.chip = chip_class(row["driver"], self.entry["class"])(self.bench.now_ms)
        self.part = self._made(self.entry["addrs"][0])

    def tearDown(self):
        self.bench.close()

    def _bus(self, freq_hz=None):
        freq_hz = freq_hz or min(self.entry["max_hz"], 400000)
        return self.bench.board_at(freq_hz).i2c("i2c0")

    def _made(self, addr, bus=None):
        machine.attach_i2c(0, addr, self.chip)
        args = dict(self.ROW.get("args", {}))
        if "addr" in self.entry["params"]:
            args["addr"] = addr
        return getattr(self.module, self.entry["class"])(bus or self._bus(), **args)

    def _works(self, part=None):
        self.ROW["use"](part or self.part)
        self.assertTrue(self.ROW["right"](self.chip))

    def _fails(self, number):
        with self.assertRaises(OSError) as caught:
            self.ROW["use"](self.part)
        self.assertEqual(caught.exception.args[0], number)

    def test_use(self):
        self.assertFalse(self.ROW["right"](self.chip))
        self._works()
        self._works()

    def test_every_declared_address(self):
        machine.detach_i2c(0, self.entry["addrs"][0])
        for addr in self.entry["addrs"]:
            self.chip.power_on()
            self._works(self._made(addr))
            machine.detach_i2c(0, addr)

    def test_absent_and_back(self):
        for number in (errno.ENODEV, errno.EIO):
            machine.I2C.nack_errno = number
            self.chip.present = False
            self._fails(number)
            self.chip.present = True
            self._works()

    def test_data_not_acknowledged(self):
        for machine.I2C.data_nack_raises in (True, False):  # as on an ESP32, on an RP2
            self.chip.fault = "nack"
            self._fails(errno.EIO)
            self.chip.fault = None
            self._works()

    def test_stuck_bus(self):
        machine.stick_i2c(0)
        self._fails(errno.ETIMEDOUT)
        machine.stick_i2c(0, False)
        self._works()

    def test_bus_speed(self):
        self.assertEqual(self.chip.max_hz, self.entry["max_hz"])
        addr = self.entry["addrs"][0]
        for freq_hz in (100000, self.entry["max_hz"]):
            self.chip.power_on()
            self._works(self._made(addr, self._bus(freq_hz)))
        self.part = self._made(addr, self._bus(self.entry["max_hz"] + 1))
        with self.assertRaises(OSError):
            self.ROW["use"](self.part)

    def test_a_brown_out_is_noticed(self):
        if self.ROW["lost"] is None:
            self.skipTest("the chip has no state to read back")
        self._works()
        self.ROW["lost"](self.part)
        self.chip.present = False
        self.chip.present = True
        with self.assertRaises(SensorError):
            self.ROW["lost"](self.part)
        self._works()
        self.ROW["lost"](self.part)

    def test_no_allocation(self):
        if not UPY:
            self.skipTest("needs the MicroPython heap")
        tape = Tape(self._bus())
        part, use = self._made(self.entry["addrs"][0], tape), self.ROW["use"]
        use(part)
        tape.record()
        use(part)
        tape.play()
        with locked_heap():
            use(part)


def cases(rows):
    """{class name: TestCase} for the globals of a test module."""
    made = {}
    for row in rows:
        name = "TestPart_" + row["driver"]
        made[name] = type(name, (_Case,), {"ROW": row})
    return made
