"""Gas sensors beyond the battery: compensation, warming up, samples of unknown age."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import SensorError
from hedge.drivers.ccs811 import CCS811
from hedge.drivers.ens160 import ENS160
from hedge.drivers.float32 import scaled
from hedge.drivers.scd4x import SCD4x
from hedge.drivers.sgp40 import SGP40
from hedge.drivers.sps30 import SPS30
from hedgerow.emulate.chips import ccs811, ens160, scd4x, sgp40, sps30


class _OnBench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.i2c = self.bench.board_at(100000).i2c("i2c0")
        self.out = array("i", (-1, -1, -1))

    def tearDown(self):
        self.bench.close()

    def _attach(self, addr, chip):
        machine.attach_i2c(0, addr, chip)
        return chip


class TestSGP40(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = self._attach(0x59, sgp40.SGP40(self.bench.now_ms))
        self.sensor = SGP40(self.i2c)

    def test_the_default_words_are_those_of_the_datasheet(self):
        read(self.sensor, self.out)
        self.assertAlmostEqual(self.chip.heard[0], 50.0, delta=0.001)
        self.assertAlmostEqual(self.chip.heard[1], 25.0, delta=0.001)

    def test_the_air_reaches_the_chip_with_right_crcs(self):
        for centi_pct, centi_c in ((5000, 2500), (0, -4500), (10000, 12990), (3333, -1)):
            self.sensor.compensate(centi_pct, centi_c)
            read(self.sensor, self.out)
            self.assertAlmostEqual(self.chip.heard[0], centi_pct / 100, delta=0.005)
            self.assertAlmostEqual(self.chip.heard[1], centi_c / 100, delta=0.005)

    def test_air_beyond_the_words_is_clamped(self):
        self.sensor.compensate(12000, 20000)
        read(self.sensor, self.out)
        self.assertAlmostEqual(self.chip.heard[0], 100.0, delta=0.005)
        self.assertAlmostEqual(self.chip.heard[1], 130.0, delta=0.005)

    def test_off(self):
        read(self.sensor, self.out)
        self.assertTrue(self.chip.heater_on)
        self.sensor.off()
        self.assertFalse(self.chip.heater_on)

    def test_a_command_with_a_wrong_crc_is_void(self):
        i2c = machine.I2C(0)
        i2c.writeto(0x59, b"\x26\x0f\x80\x00\xa3\x66\x66\x93")
        self.bench.clock.now_ms += 30
        with self.assertRaises(OSError):
            i2c.readfrom(0x59, 3)


class TestENS160(_OnBench):
    def setUp(self):
        _OnBench.setUp(self)
        self.chip = self._attach(0x53, ens160.ENS160(self.bench.now_ms))
        self.sensor = ENS160(self.i2c)

    def test_warming_up_is_told_and_not_begun_anew_by_reading(self):
        began_ms, failed = self.bench.now_ms(), 0
        while self.bench.now_ms() - began_ms < 178000:
            with self.assertRaises(SensorError):
                read(self.sensor, self.out)
            failed += 1
        self.assertGreater(failed, 100)
        self.bench.clock.now_ms += 2000
        self.assertEqual(read(self.sensor, self.out)[0], 1)

    def test_compensation_in_the_units_of_the_datasheet(self):
        self.chip.warm_ms = 0
        read(self.sensor, self.out)
        self.sensor.compensate(5000, 2500)
        self.bench.clock.now_ms += 2000
        read(self.sensor, self.out)
        # DS: 25 degC is 0x4A8A, 50 %RH is 0x6400.
        self.assertEqual(bytes(self.chip.regs[0x30:0x34]), b"\x8a\x4a\x00\x64")


class TestSCD4x(_OnBench):
    def test_a_read_takes_a_fresh_sample_not_the_one_that_lies_ready(self):
        chip = self._attach(0x62, scd4x.SCD4x(self.bench.now_ms))
        sensor = SCD4x(self.i2c)
        chip.co2_ppm = 500
        read(sensor, self.out)
        self.bench.clock.now_ms += 600000
        machine.I2C(0, freq=100000).scan()  # its clock goes on: it has a sample of 500 ppm
        chip.co2_ppm = 900
        self.assertEqual(read(sensor, self.out)[0], 900)

    def test_while_it_measures_it_takes_no_other_command(self):
        chip = self._attach(0x62, scd4x.SCD4x(self.bench.now_ms))
        read(SCD4x(self.i2c), self.out)
        machine.I2C(0, freq=100000).writeto(0x62, b"\x36\x82")
        with self.assertRaises(OSError):
            machine.I2C(0, freq=100000).readfrom(0x62, 9)
        self.assertTrue(chip.present)


class TestFloat32(unittest.TestCase):
    def test_against_struct_over_the_range(self):
        import struct

        value = 0.0005
        while value < 1000000.0:
            for number in (value, -value):
                b = struct.pack(">f", number)
                data = bytes((b[0], b[1], 0, b[2], b[3], 0))
                for scale in (1, 10, 100, 1000):
                    exact = number * scale
                    limit = 0.51 + abs(exact) / 500000
                    self.assertAlmostEqual(scaled(data, 0, scale), exact, delta=limit)
            value *= 1.37

    def test_zero_tiny_and_what_is_no_number(self):
        self.assertEqual(scaled(bytes(6), 0, 1000), 0)
        self.assertEqual(scaled(b"\x00\x01\0\0\0\0", 0, 1000), 0)
        self.assertEqual(scaled(b"\x30\x00\0\0\0\0", 0, 1000), 0)
        for head in (b"\x7f\xc0", b"\x7f\x80", b"\x4a\x00"):  # NaN, infinity, 2**21
            with self.assertRaises(SensorError):
                scaled(head + bytes(4), 0, 1)


class TestSPS30(_OnBench):
    def test_stop_and_again(self):
        chip = self._attach(0x69, sps30.SPS30(self.bench.now_ms))
        sensor = SPS30(self.i2c)
        out = array("i", (0, 0, 0, 0))
        read(sensor, out)
        sensor.stop()
        self.assertIsNone(chip._next_ms)
        self.bench.clock.now_ms += 60000
        chip.pm1_ugm3 = 9.0
        self.assertEqual(read(sensor, out)[0], 90)


class TestCCS811(_OnBench):
    def test_without_firmware(self):
        chip = self._attach(0x5A, ccs811.CCS811(self.bench.now_ms))
        chip._status = lambda: 0x00
        with self.assertRaises(SensorError):
            read(CCS811(self.i2c), self.out)

    def test_nothing_but_ids_before_the_application_runs(self):
        self._attach(0x5A, ccs811.CCS811(self.bench.now_ms))
        i2c = machine.I2C(0)
        self.assertEqual(i2c.readfrom_mem(0x5A, 0x20, 1), b"\x81")
        self.assertEqual(i2c.readfrom_mem(0x5A, 0x00, 1), b"\x10")
        self.assertEqual(i2c.readfrom_mem(0x5A, 0x02, 4), b"\0\0\0\0")
        i2c.writeto(0x5A, b"\xf4")
        self.assertEqual(i2c.readfrom_mem(0x5A, 0x00, 1), b"\x90")
