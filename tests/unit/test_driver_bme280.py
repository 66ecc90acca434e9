"""BME280 driver against Bosch's calculation example and the simulated chip."""

import errno
import struct
import unittest
from array import array

import machine
from driver_bench import UPY, Bench, locked_heap, read, shared_json

from hedge.core.errors import SensorError
from hedge.drivers import bme280
from hedgerow.emulate.chips import bme280 as chips

# BST-BMP280-DS001, section 3.12.
_T = (27504, 26435, -1000)
_P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)


def _pressure_32bit(adc_p, fine, trim):
    """Bosch's alternative for 32-bit machines (DS 8.2), to show why the driver does not use it."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    var1 = (fine >> 1) - 64000
    var2 = (((var1 >> 2) * (var1 >> 2)) >> 11) * p6 + (var1 * p5 << 1)
    var2 = (var2 >> 2) + (p4 << 16)
    var1 = (((p3 * ((var1 >> 2) * (var1 >> 2) >> 13)) >> 3) + (p2 * var1 >> 1)) >> 18
    var1 = (32768 + var1) * p1 >> 15
    p = (1048576 - adc_p - (var2 >> 12)) * 3125
    p = (p << 1) // var1 if p < 0x80000000 else p // var1 * 2
    var1 = p9 * ((p >> 3) * (p >> 3) >> 13) >> 12
    return p + (var1 + ((p >> 2) * p8 >> 13) + p7 >> 4)


class TestCompensation(unittest.TestCase):
    def test_datasheet_example_temperature(self):
        fine = bme280.t_fine(519888, _T)
        self.assertEqual(fine, 128422)
        self.assertEqual(fine * 5 + 128 >> 8, 2508)

    def test_datasheet_example_pressure(self):
        # The datasheet prints 100653.27 Pa from floating point; Q24.8 has steps of 0.004 Pa.
        self.assertAlmostEqual(
            bme280.compensate_pressure(415148, 128422, _P) / 256, 100653.27, delta=0.03
        )

    def test_shared_vectors(self):
        vectors = shared_json("chips/sensor_vectors/sensor_vectors.json")
        if vectors is None:
            self.skipTest("no ../shared/data/chips/sensor_vectors beside the clone")
        v = vectors["bmp280"]
        trim_t = [v["calib"]["dig_T%d" % i] for i in range(1, 4)]
        trim_p = [v["calib"]["dig_P%d" % i] for i in range(1, 10)]
        fine = bme280.t_fine(v["adc_T"], trim_t)
        pressure = bme280.compensate_pressure(v["adc_P"], fine, trim_p)
        self.assertEqual(fine, v["expected"]["t_fine"])
        self.assertEqual(pressure, v["expected"]["pressure_q24_8_pa_x256"])

    def test_humidity_agrees_with_the_floating_point_formula(self):
        for fine in (-100000, 0, 76800, 128422, 300000):
            for adc in range(20500, 40000, 997):
                exact = min(max(chips.humidity_of(adc, fine, chips.TRIM_H), 0.0), 100.0)
                value = bme280.compensate_humidity(adc, fine, chips.TRIM_H) / 1024
                self.assertAlmostEqual(value, exact, delta=0.02)

    def test_the_64_bit_pressure_is_worth_its_heap(self):
        worst64 = worst32 = 0.0
        for temp_c in range(-40, 86, 9):
            adc_t, exact_fine = chips.raw_temp(temp_c, _T)
            fine = bme280.t_fine(adc_t, _T)
            for pa in range(30000, 110001, 1999):
                adc_p = chips.raw_pressure(pa, exact_fine, _P)
                exact = chips.pressure_of(adc_p, exact_fine, _P)
                value = bme280.compensate_pressure(adc_p, fine, _P) / 256
                worst64 = max(worst64, abs(value - exact))
                worst32 = max(worst32, abs(_pressure_32bit(adc_p, fine, _P) - exact))
        self.assertLess(worst64, 0.5)
        self.assertGreater(worst32, 4.0)

    def test_negative_humidity_words_keep_their_sign(self):
        trim_h = (75, -362, 9, -323, -50, -30)
        low, high = chips.pack_trimming(_T, _P, trim_h)
        sensor = bme280.BME280(None)
        sensor.set_trimming(low, high)
        self.assertEqual(sensor._h, trim_h)
        self.assertEqual(sensor._p, _P)
        self.assertEqual(sensor._t, _T)


class TestAgainstTheChip(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.chip = chips.BME280(self.bench.now_ms)
        machine.attach_i2c(0, 0x76, self.chip)
        self.sensor = bme280.BME280(self.bench.board.i2c("i2c0"))
        self.out = array("i", (1, 2, 3))

    def tearDown(self):
        self.bench.close()

    def _fails(self, error):
        with self.assertRaises(error) as caught:
            read(self.sensor, self.out)
        self.assertEqual(list(self.out), [1, 2, 3])
        return caught.exception

    def _works(self):
        self.assertAlmostEqual(read(self.sensor, self.out)[0], self.chip.temp_c * 100, delta=1)
        self.out[0], self.out[1], self.out[2] = 1, 2, 3

    def test_range_ends_and_between(self):
        for temp_c in (-40.0, -10.05, 0.0, 25.08, 85.0):
            for humidity in (0.0, 33.3, 100.0):
                for pa in (30000.0, 101325.0, 110000.0):
                    self.chip.temp_c, self.chip.humidity_pct = temp_c, humidity
                    self.chip.pressure_pa = pa
                    read(self.sensor, self.out)
                    self.assertAlmostEqual(self.out[0], temp_c * 100, delta=1)
                    self.assertAlmostEqual(self.out[1], humidity * 100, delta=2)
                    # 16 bits at oversampling x1: 2.6 Pa a step at room temperature
                    self.assertAlmostEqual(self.out[2], pa, delta=3)

    def test_a_first_read_takes_the_reset_a_later_one_only_the_measurement(self):
        began_ms = self.bench.now_ms()
        self._works()
        first_ms = self.bench.now_ms() - began_ms
        self._works()
        self.assertEqual(self.bench.now_ms() - began_ms - first_ms, 10)
        self.assertEqual(first_ms, 13)
        self.assertEqual(self.chip.conversions, 2)

    def test_absent_is_oserror_and_it_may_come_and_go(self):
        self.chip.present = False
        self.assertEqual(self._fails(OSError).args[0], errno.ENODEV)
        self.chip.present = True
        self._works()
        self.chip.present = False
        self._fails(OSError)
        self.chip.present = True
        self._works()

    def test_absent_as_the_rp2_port_reports_it(self):
        machine.I2C.nack_errno = errno.EIO
        self.chip.present = False
        self.assertEqual(self._fails(OSError).args[0], errno.EIO)

    def test_power_lost_during_a_measurement(self):
        self._works()
        self.sensor.start()
        self.chip.present = False
        self.chip.present = True  # back with registers of power-on before the result is read
        self.bench.clock.now_ms += 10
        with self.assertRaises(SensorError):
            self.sensor.poll(self.out)
        self.assertEqual(list(self.out), [1, 2, 3])
        self._works()

    def test_a_replacement_brings_its_own_trimming_values(self):
        self._works()
        self.sensor.start()
        machine.detach_i2c(0, 0x76)
        with self.assertRaises(OSError):
            self.sensor.poll(self.out)
        self.chip = chips.BME280(self.bench.now_ms, trim_t=(28011, 26100, 50))
        machine.attach_i2c(0, 0x76, self.chip)
        self.chip.temp_c = 31.0
        self._works()

    def test_bus_held_low(self):
        for hold, release in (
            (lambda: machine.stick_i2c(0), lambda: machine.stick_i2c(0, False)),
            (lambda: self._fault("bus"), lambda: self._fault(None)),
        ):
            hold()
            self.assertEqual(self._fails(OSError).args[0], errno.ETIMEDOUT)
            release()
            self._works()

    def _fault(self, name):
        self.chip.fault = name

    def test_never_ready(self):
        self.chip.fault = "busy"
        began_ms = self.bench.now_ms()
        self._fails(SensorError)
        self.assertLess(self.bench.now_ms() - began_ms, 200)
        self.chip.fault = None
        self._works()

    def test_slow_is_waited_for(self):
        self.chip.fault = "slow"
        self._works()

    def test_refused_data_byte(self):
        self.chip.fault = "nack"
        self.assertEqual(self._fails(OSError).args[0], errno.EIO)

    def test_empty_trimming_memory(self):
        self.chip.fault = "blank"
        self._fails(SensorError)

    def test_another_chip_at_the_address(self):
        self.chip._regs[0xD0] = 0x58  # a BMP280
        self.assertIn("0x58", str(self._fails(SensorError)))

    def test_values_outside_the_range(self):
        self._works()
        self.chip.pressure_pa = 20000.0
        self._fails(SensorError)

    def test_poll_without_start(self):
        with self.assertRaises(SensorError):
            self.sensor.poll(self.out)

    def test_skipped_measurement_value(self):
        self._works()
        with self.assertRaises(SensorError):
            self.sensor.decode_into(b"\x80\x00\x00\x80\x00\x00\x80\x00", self.out)


class _PlayI2C:
    """Answers register reads from a prepared image; does not allocate."""

    def __init__(self, image):
        self._image = image

    def readfrom_mem_into(self, addr, reg, buf):
        for i in range(len(buf)):
            buf[i] = self._image[reg + i]

    def readfrom_mem(self, addr, reg, count):
        return bytes(self._image[reg : reg + count])

    def writeto(self, addr, buf):
        return len(buf)


def _image():
    image = bytearray(256)
    low, high = chips.pack_trimming(_T, _P, chips.TRIM_H)
    image[0xD0] = 0x60
    image[0x88:0xA2] = low
    image[0xE1:0xE8] = high
    image[0xF7:0xFF] = b"\x65\x5a\xc0\x7e\xed\x00\x6e\x00"
    return image


@unittest.skipIf(not UPY, "needs the MicroPython heap lock")
class TestAllocation(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.sensor = bme280.BME280(_PlayI2C(_image()))
        self.out = array("i", (0, 0, 0))
        read(self.sensor, self.out)

    def tearDown(self):
        self.bench.close()

    def test_start_and_busy_poll_do_not_allocate(self):
        self.sensor._i2c._image[0xF3] = 0x08
        with locked_heap():
            self.sensor.start()
            done = self.sensor.poll(self.out)
        self.assertFalse(done)

    def test_a_reading_allocates_less_than_a_kilobyte(self):
        import gc

        self.sensor.start()
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        self.sensor.poll(self.out)
        used = gc.mem_alloc() - before
        gc.enable()
        self.assertLess(used, 1024)
        self.assertEqual(self.out[0], 2508)
        self.assertEqual(self.out[2], 100653)


class TestChip(unittest.TestCase):
    """The simulated chip itself, register by register."""

    def setUp(self):
        self.bench = Bench()
        self.chip = chips.BME280(self.bench.now_ms)
        machine.attach_i2c(0, 0x76, self.chip)
        self.i2c = machine.I2C(0)

    def tearDown(self):
        self.bench.close()

    def _reg(self, reg):
        return self.i2c.readfrom_mem(0x76, reg, 1)[0]

    def test_power_on_values(self):
        self.bench.clock.now_ms += 2
        self.assertEqual(self.i2c.readfrom_mem(0x76, 0xF2, 4), b"\0\0\0\0")
        self.assertEqual(self.i2c.readfrom_mem(0x76, 0xF7, 8), b"\x80\0\0\x80\0\0\x80\0")
        self.assertEqual(self._reg(0xD0), 0x60)
        self.assertEqual(self._reg(0xE0), 0)

    def test_status_bits(self):
        self.assertEqual(self._reg(0xF3), 1)  # copying NVM
        self.bench.clock.now_ms += 2
        self.assertEqual(self._reg(0xF3), 0)
        self.i2c.writeto_mem(0x76, 0xF2, b"\x01")
        self.i2c.writeto_mem(0x76, 0xF4, b"\x25")
        self.assertEqual(self._reg(0xF3), 8)
        self.assertEqual(self._reg(0xF4), 0x25)
        self.bench.clock.now_ms += 8
        self.assertEqual(self._reg(0xF3), 0)
        self.assertEqual(self._reg(0xF4), 0x24)  # asleep again

    def test_humidity_setting_waits_for_ctrl_meas(self):
        self.i2c.writeto_mem(0x76, 0xF4, b"\x25")
        self.i2c.writeto_mem(0x76, 0xF2, b"\x01")
        self.bench.clock.now_ms += 20
        self.assertEqual(self.i2c.readfrom_mem(0x76, 0xFD, 2), b"\x80\x00")

    def test_soft_reset_needs_its_word(self):
        self.i2c.writeto_mem(0x76, 0xF5, b"\xa0")
        self.i2c.writeto_mem(0x76, 0xE0, b"\x00")
        self.assertEqual(self._reg(0xF5), 0xA0)
        self.i2c.writeto_mem(0x76, 0xE0, b"\xb6")
        self.assertEqual(self._reg(0xF5), 0)

    def test_write_is_pairs_of_register_and_value(self):
        self.i2c.writeto(0x76, b"\xf2\x05\xf5\x10")
        self.assertEqual(self._reg(0xF2), 5)
        self.assertEqual(self._reg(0xF5), 0x10)

    def test_normal_mode_measures_by_itself(self):
        self.i2c.writeto_mem(0x76, 0xF2, b"\x01")
        self.i2c.writeto_mem(0x76, 0xF4, b"\x27")
        for _ in range(5):
            self.bench.clock.now_ms += 20
            self._reg(0xF3)
        self.assertEqual(self.chip.conversions, 5)

    def test_oversampling_adds_bits(self):
        for ctrl, mask in ((b"\x25", 0x0F), (b"\xb5", 0x00)):
            self.i2c.writeto_mem(0x76, 0xF4, ctrl)
            self.bench.clock.now_ms += 120
            press = self.i2c.readfrom_mem(0x76, 0xF7, 3)
            raw = struct.unpack(">I", b"\0" + press)[0] >> 4
            self.assertEqual(raw & mask, 0)

    def test_unknown_fault_is_refused(self):
        with self.assertRaises(ValueError):
            self.chip.fault = "crc"
