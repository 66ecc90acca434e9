"""Board: builds buses once from the plan's table and says in one line what is wrong with it."""

import unittest

import machine
from driver_bench import TABLE, Bench

from hedge.board import Board
from hedge.core.errors import ConfigError


class TestBoard(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.board = self.bench.board

    def tearDown(self):
        self.bench.close()

    def _refused(self, function, *args):
        with self.assertRaises(ConfigError) as caught:
            function(*args)
        return str(caught.exception)

    def test_two_users_share_one_bus(self):
        self.assertIs(self.board.i2c("i2c0"), self.board.bus("i2c", "i2c0"))
        self.assertIs(self.board.onewire(16), self.board.onewire(16))

    def test_unknown_bus(self):
        text = self._refused(self.board.i2c, "i2c7")
        self.assertIn("board UNIX: bus 'i2c7': is not one of ['i2c0'", text)

    def test_unknown_kind(self):
        self.assertIn("'can'", self._refused(self.board.bus, "can", 0))

    def test_bad_pins(self):
        for make in (self.board.adc, self.board.onewire, self.board.output_pin):
            for pin in (99, -1, None, "GP5"):
                text = self._refused(make, pin)
                self.assertIn("board UNIX", text)
                self.assertIn(repr(pin), text)

    def test_bad_bus_pins_and_missing_keys(self):
        for bus in ({"kind": "i2c", "id": 0, "scl": 99, "sda": 4, "freq_hz": 400000}, {"id": 0}):
            board = Board({"name": "UNIX", "buses": {"i2c0": bus}})
            self._refused(board.i2c, "i2c0")

    def test_bus_number_that_the_chip_has_not(self):
        bus = {"kind": "i2c", "id": 7, "scl": 5, "sda": 4, "freq_hz": 400000}
        self._refused(Board({"buses": {"i2c7": bus}}).i2c, "i2c7")

    def test_output_pin_stays_an_input_until_its_driver_decides(self):
        levels = []
        machine.on_pin(15, levels.append)
        self.board.output_pin(15)
        self.assertEqual(levels, [])

    def test_watchdog_longer_than_rp2_has(self):
        text = self._refused(Board({"name": "RPI_PICO", "port": "rp2"}).wdt, 10000)
        self.assertIn("8388", text)

    def test_power_on(self):
        self.assertEqual(self.board.reset_cause(), "power_on")
        self.assertEqual(len(self.board.unique_id()), 8)

    def test_retained_bytes(self):
        former = self.board.retained()
        self.assertTrue(self.board.retain(b"counter 7"))
        self.assertEqual(Board(TABLE).retained(), b"counter 7")
        self.board.retain(former)

    def test_timer_only_where_time_is_real(self):
        self.assertIsNone(self.board.timer())
        self.assertIsInstance(Board({"port": "rp2"}).timer(), machine.Timer)

    def test_no_two_users_share_a_hardware_timer(self):
        board = Board({"port": "esp32"})
        timers = [board.timer() for _ in range(4)]
        self.assertEqual([t.id for t in timers], [0, 1, 2, 3])
        self._refused(board.timer)
