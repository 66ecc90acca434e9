"""DS18B20 driver and the onewire stand-in against the simulated chip and the datasheet's table."""

import errno
import unittest
from array import array

import machine
from driver_bench import UPY, Bench, locked_heap, read, shared_json

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.ds18b20 import DS18B20
from hedgerow.emulate.chips import ds18b20 as chips

# DS18B20 datasheet, table 1: digital output and temperature; centi-degC rounded half up.
_TABLE = (
    (0x07D0, 12500),
    (0x0191, 2506),
    (0x00A2, 1013),
    (0x0008, 50),
    (0x0000, 0),
    (0xFFF8, -50),
    (0xFF5E, -1012),
    (0xFE6F, -2506),
    (0xFC90, -5500),
)


def _pad(raw, config=0x7F, byte6=None):
    data = bytearray(b"\0\0\x4b\x46\0\xff\0\x10")
    data[0], data[1], data[4] = raw & 0xFF, raw >> 8, config
    data[6] = 0x10 - (raw & 15) if byte6 is None else byte6
    return bytes(data) + bytes((chips.crc8(data),))


class TestDecode(unittest.TestCase):
    def setUp(self):
        self.sensor = DS18B20(None)
        self.out = array("i", (7,))

    def test_datasheet_table(self):
        for raw, centi_c in _TABLE:
            self.sensor.decode_into(_pad(raw), self.out)
            self.assertEqual(self.out[0], centi_c)

    def test_shared_vectors(self):
        vectors = shared_json("chips/sensor_vectors/sensor_vectors.json")
        if vectors is None:
            self.skipTest("no ../shared/data/chips/sensor_vectors beside the clone")
        for v in vectors["ds18b20"]["vectors"]:
            raw = int(v["raw_hex"], 16)
            if raw == 0x0550:
                continue  # its scratchpad is the power-on one, see the next test
            self.sensor.decode_into(bytes.fromhex(v["scratchpad_hex"]), self.out)
            self.assertAlmostEqual(self.out[0], v["celsius"] * 100, delta=0.5)

    def test_power_on_value_is_refused_but_real_heat_is_not(self):
        with self.assertRaises(SensorError):
            self.sensor.decode_into(_pad(0x0550, byte6=0x0C), self.out)
        self.assertEqual(self.out[0], 7)
        self.sensor.decode_into(_pad(0x0550), self.out)
        self.assertEqual(self.out[0], 8500)

    def test_low_resolution_drops_undefined_bits(self):
        for config, centi_c in ((0x1F, 2500), (0x3F, 2500), (0x5F, 2513), (0x7F, 2519)):
            self.sensor.decode_into(_pad(0x0193, config), self.out)
            self.assertEqual(self.out[0], centi_c)

    def test_failed_conversion_of_copies_is_out_of_range(self):
        with self.assertRaises(SensorError):  # 127.94 degC, as Petrich saw
            self.sensor.decode_into(_pad(0x07FF), self.out)

    def test_power_on_crc_of_the_datasheet(self):
        self.assertEqual(chips.crc8(b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"), 0x1C)


class TestAgainstTheChip(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.chip = chips.DS18B20(self.bench.now_ms)
        machine.attach_onewire(16, self.chip)
        self.bus = self.bench.board.onewire(16)
        self.sensor = DS18B20(self.bus)
        self.out = array("i", (7,))

    def tearDown(self):
        self.bench.close()

    def _fails(self, error):
        with self.assertRaises(error) as caught:
            read(self.sensor, self.out)
        self.assertEqual(self.out[0], 7)
        return caught.exception

    def _works(self):
        self.assertAlmostEqual(read(self.sensor, self.out)[0], self.chip.temp_c * 100, delta=4)
        self.out[0] = 7

    def test_range_ends_and_between(self):
        for temp_c in (-55.0, -10.125, -0.0625, 0.0, 25.0625, 85.0, 125.0):
            self.chip.temp_c = temp_c
            self.assertAlmostEqual(read(self.sensor, self.out)[0], temp_c * 100, delta=0.51)

    def test_conversion_time_follows_resolution(self):
        for bits, ms in ((9, 94), (10, 188), (11, 376), (12, 751)):
            sensor = DS18B20(self.bus, resolution_bits=bits)
            began_ms = self.bench.now_ms()
            read(sensor, self.out)
            self.assertEqual(self.bench.now_ms() - began_ms, ms)

    def test_coarse_resolution(self):
        self.chip.temp_c = 21.6
        self.assertEqual(read(DS18B20(self.bus, resolution_bits=9), self.out)[0], 2150)

    def test_setting_the_resolution_leaves_alarms_and_eeprom(self):
        self.chip._pad[2:4] = b"\x11\x22"
        read(DS18B20(self.bus, resolution_bits=9), self.out)
        self.assertEqual(bytes(self.chip._pad[2:5]), b"\x11\x22\x1f")
        self.assertEqual(bytes(self.chip._eeprom), b"\x4b\x46\x7f")

    def test_absent_is_oserror_and_it_may_come_and_go(self):
        self.chip.present = False
        self.assertEqual(self._fails(OSError).args[0], errno.ENODEV)
        self.chip.present = True
        self._works()
        self.chip.present = False
        self._fails(OSError)
        self.chip.present = True
        self._works()

    def test_removed_while_converting(self):
        self.sensor.start()
        self.chip.present = False
        self.bench.clock.now_ms += 751
        with self.assertRaises(OSError):
            self.sensor.poll(self.out)
        self.assertEqual(self.out[0], 7)

    def test_replugged_while_converting_is_not_85_degrees(self):
        self._works()
        self.sensor.start()
        self.chip.present = False
        self.chip.present = True
        self.bench.clock.now_ms += 751
        with self.assertRaises(SensorError):
            self.sensor.poll(self.out)
        self._works()

    def test_lost_resolution_is_set_again(self):
        sensor = DS18B20(self.bus, resolution_bits=9)
        read(sensor, self.out)
        self.chip.present = False
        self.chip.present = True
        self.assertEqual(self.chip._resolution(), 3)
        read(sensor, self.out)  # slower, but right
        read(sensor, self.out)
        self.assertEqual(self.chip._resolution(), 0)

    def test_wrong_crc(self):
        self.chip.fault = "crc"
        self.assertIn("crc", str(self._fails(SensorError)))
        self.chip.fault = None
        self._works()

    def test_shorted_line_is_not_zero_degrees(self):
        self.chip.fault = "short"
        self.assertIn("short", str(self._fails(SensorError)))
        self.chip.fault = None
        self._works()

    def test_line_shorted_after_a_good_read(self):
        self._works()
        self.chip.fault = "short"
        self._fails(SensorError)

    def test_brown_out_at_each_conversion(self):
        self.chip.fault = "brownout"
        self._fails(SensorError)

    def test_too_slow(self):
        self.chip.fault = "slow"
        began_ms = self.bench.now_ms()
        self._fails(SensorError)
        self.assertLess(self.bench.now_ms() - began_ms, 1100)

    def test_poll_is_false_until_the_time_is_over(self):
        wait_ms = self.sensor.start()
        self.assertFalse(self.sensor.poll(self.out))
        self.bench.clock.now_ms += wait_ms
        self.assertTrue(self.sensor.poll(self.out))

    def test_two_sensors_on_one_pin(self):
        other = chips.DS18B20(self.bench.now_ms, serial=0xA1B2C3D4E5)
        machine.attach_onewire(16, other)
        self.chip.temp_c, other.temp_c = 11.0, 22.0
        self.assertEqual(sorted(self.bus.scan()), sorted([self.chip.rom, other.rom]))
        for chip, centi_c in ((self.chip, 1100), (other, 2200)):
            self.assertEqual(read(DS18B20(self.bus, chip.rom), self.out)[0], centi_c)

    def test_addressed_sensor_gone_while_another_answers(self):
        machine.attach_onewire(16, chips.DS18B20(self.bench.now_ms, serial=2))
        self.sensor = DS18B20(self.bus, self.chip.rom)
        self.chip.present = False
        self.assertEqual(self._fails(OSError).args[0], errno.ENODEV)

    def test_two_sensors_without_rom_collide(self):
        other = chips.DS18B20(self.bench.now_ms, serial=2)
        other.temp_c = -20.0
        machine.attach_onewire(16, other)
        self._fails(SensorError)

    def test_rom_as_text(self):
        rom = "".join("%02x" % b for b in self.chip.rom)
        self.assertEqual(read(DS18B20(self.bus, rom), self.out)[0], 2000)

    def test_wrong_roms(self):
        mistyped = bytearray(self.chip.rom)
        mistyped[3] ^= 1
        other_family = chips.make_rom(1, family=0x10)
        for rom in ("28", "zz" * 8, bytes(mistyped), other_family):
            with self.assertRaises(ConfigError):
                DS18B20(self.bus, rom)
        with self.assertRaises(ConfigError):
            DS18B20(self.bus, resolution_bits=13)


class TestChip(unittest.TestCase):
    """The simulated chip and the bus, command by command."""

    def setUp(self):
        self.bench = Bench()
        self.chips = [
            chips.DS18B20(self.bench.now_ms, serial=n) for n in (1, 2, 3, 0x800000000001)
        ]
        for chip in self.chips:
            machine.attach_onewire(16, chip)
        self.bus = self.bench.board.onewire(16)

    def tearDown(self):
        self.bench.close()

    def _alone(self):
        for chip in self.chips[1:]:
            chip.present = False
        return self.chips[0]

    def _command(self, code, answer_bytes=0):
        self.bus.reset()
        self.bus.writebyte(0xCC)
        self.bus.writebyte(code)
        return bytes([self.bus.readbyte() for _ in range(answer_bytes)])

    def test_search_finds_all_and_follows_changes(self):
        self.assertEqual(sorted(self.bus.scan()), sorted(chip.rom for chip in self.chips))
        self.chips[2].present = False
        self.assertEqual(len(self.bus.scan()), 3)

    def test_nothing_on_the_line(self):
        self.assertEqual(self._alone().present, True)
        self.chips[0].present = False
        self.assertEqual(self.bus.scan(), [])
        self.assertFalse(self.bus.reset())
        self.assertEqual(self.bus.readbyte(), 0xFF)

    def test_read_rom(self):
        chip = self._alone()
        self.bus.reset()
        self.bus.writebyte(0x33)
        self.assertEqual(bytes([self.bus.readbyte() for _ in range(8)]), chip.rom)

    def test_power_on_scratchpad(self):
        self._alone()
        self.assertEqual(self._command(0xBE, 9), b"\x50\x05\x4b\x46\x7f\xff\x0c\x10\x1c")

    def test_eeprom_survives_power(self):
        chip = self._alone()
        self._command(0x4E)
        self.bus.write(b"\x1e\x05\x3f")
        self._command(0x48)
        self._command(0x4E)
        self.bus.write(b"\x00\x00\x7f")
        chip.present = False
        chip.present = True
        self.assertEqual(self._command(0xBE, 5)[2:], b"\x1e\x05\x3f")

    def test_alarm_search_answers_outside_the_limits(self):
        chip = self._alone()
        chip.temp_c = 90.0  # TH is 75 at power-on
        self._command(0x44)
        self.bench.clock.now_ms += 750
        self.bus.reset()
        self.bus.writebyte(0xEC)
        self.assertEqual((self.bus.readbit(), self.bus.readbit()), (0, 1))  # first bit of 0x28
        chip.temp_c = 72.0  # TL is 70
        self._command(0x44)
        self.bench.clock.now_ms += 750
        self.bus.reset()
        self.bus.writebyte(0xEC)
        self.assertEqual((self.bus.readbit(), self.bus.readbit()), (1, 1))

    def test_busy_shows_in_read_slots(self):
        self._alone()
        self._command(0x44)
        self.assertEqual(self.bus.readbit(), 0)
        self.bench.clock.now_ms += 750
        self.assertEqual(self.bus.readbit(), 1)


class _PlayOneWire:
    """Answers with one scratchpad; does not allocate."""

    def __init__(self, pad):
        self._pad = pad

    def reset(self):
        return True

    def writebyte(self, value):
        pass

    def readbit(self):
        return 1

    def readinto(self, buf):
        for i in range(len(buf)):
            buf[i] = self._pad[i]

    def crc8(self, data):
        crc = 0
        for byte in data:
            for i in range(8):
                crc = crc >> 1 ^ (0x8C if (crc ^ byte >> i) & 1 else 0)
        return crc


@unittest.skipIf(not UPY, "needs the MicroPython heap lock")
class TestAllocation(unittest.TestCase):
    def test_start_and_poll_do_not_allocate(self):
        bench = Bench()
        sensor, out = DS18B20(_PlayOneWire(_pad(0x0191))), array("i", (0,))
        read(sensor, out)
        with locked_heap():
            wait_ms = sensor.start()
            early = sensor.poll(out)
            bench.clock.now_ms += wait_ms
            done = sensor.poll(out)
        bench.close()
        self.assertEqual((early, done, out[0]), (False, True, 2506))
