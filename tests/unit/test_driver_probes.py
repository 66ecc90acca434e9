"""Analog probes beyond the battery: waves, calibration points, temperature, switched supply."""

import unittest
from array import array

import machine
from driver_bench import Bench, read

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.current_clamp import CurrentClamp, isqrt
from hedge.drivers.ec_probe import ECProbe
from hedge.drivers.ph_probe import PHProbe
from hedge.drivers.soil_resistive import SoilResistive
from hedgerow.emulate.chips import current_clamp, ec_probe, ph_probe, soil_resistive


class _Probe(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.out = array("i", (-7,))
        self.adc = self.bench.board.adc(26)

    def tearDown(self):
        self.bench.close()

    def _fails(self, sensor):
        with self.assertRaises(SensorError):
            read(sensor, self.out)
        self.assertEqual(self.out[0], -7)


class TestCurrentClamp(_Probe):
    def setUp(self):
        _Probe.setUp(self)
        self.chip = current_clamp.CurrentClamp(self.bench.now_ms)
        machine.attach_adc(26, self.chip)
        self.clamp = CurrentClamp(self.adc)

    def test_both_mains_frequencies_and_a_wrong_middle(self):
        self.chip.current_a = 7.0
        for freq_hz in (50.0, 60.0):
            for bias_mv in (1550.0, 1650.0, 1720.0):
                self.chip.freq_hz, self.chip.bias_mv = freq_hz, bias_mv
                self.assertAlmostEqual(read(self.clamp, self.out)[0], 7000, delta=15)

    def test_too_much_current_is_not_a_smaller_one(self):
        self.chip.current_a = 40.0
        self._fails(self.clamp)

    def test_no_bias(self):
        self.chip.bias_mv = 400.0
        self._fails(self.clamp)

    def test_another_ratio(self):
        self.chip.current_a = 3.0  # 0.1 V RMS
        clamp = CurrentClamp(self.adc, ma_per_v=100000)
        self.assertAlmostEqual(read(clamp, self.out)[0], 10000, delta=50)

    def test_integer_square_root(self):
        for value in (0, 1, 2, 3, 4, 99, 100, 101, 272249999, 272250000, 2**30 - 1):
            root = isqrt(value)
            self.assertTrue(root * root <= value < (root + 1) * (root + 1), value)

    def test_bad_ratio(self):
        with self.assertRaises(ConfigError):
            CurrentClamp(self.adc, ma_per_v=10)


class TestSoilResistive(_Probe):
    def test_power_is_on_only_while_it_measures(self):
        chip = soil_resistive.SoilResistive(self.bench.now_ms)
        machine.attach_adc(26, chip)
        machine.on_pin(15, chip.on_power)
        power = self.bench.board.output_pin(15)
        probe = SoilResistive(self.adc, dry_mv=2970, wet_mv=990, power=power)
        chip.wetness_pct = 70.0
        for _ in range(3):
            self.bench.clock.now_ms += 600000
            self.assertAlmostEqual(read(probe, self.out)[0], 7000, delta=8)
        self.assertEqual(chip.on_ms, 150)

    def test_power_is_off_after_an_error(self):
        levels = []
        machine.on_pin(15, levels.append)
        self._fails(SoilResistive(self.adc, power=self.bench.board.output_pin(15)))
        self.assertEqual(levels[-1], 0)

    def test_bad_calibration(self):
        with self.assertRaises(ConfigError):
            SoilResistive(self.adc, dry_mv=1000, wet_mv=1050)


class TestPHProbe(_Probe):
    def setUp(self):
        _Probe.setUp(self)
        self.chip = ph_probe.PHProbe(self.bench.now_ms)
        machine.attach_adc(26, self.chip)
        self.probe = PHProbe(self.adc)

    def test_the_vendors_calibration_points(self):
        for mv, ph in ((1500, 7000), (2032.44, 4000)):
            machine.attach_adc(26, mv)
            self.assertAlmostEqual(read(self.probe, self.out)[0], ph, delta=6)

    def test_temperature_changes_the_slope_not_the_zero(self):
        for temp_c in (5.0, 25.0, 45.0):
            self.chip.temp_c = temp_c
            self.probe.set_temp(int(temp_c * 100))
            for ph in (4.0, 7.0, 10.0):
                self.chip.ph = ph
                self.assertAlmostEqual(read(self.probe, self.out)[0], ph * 1000, delta=10)

    def test_outside_the_scale(self):
        self.chip.ph = 14.8
        self._fails(self.probe)

    def test_bad_calibration(self):
        with self.assertRaises(ConfigError):
            PHProbe(self.adc, mv_ph7=1500, mv_ph4=1520)


class TestECProbe(_Probe):
    def setUp(self):
        _Probe.setUp(self)
        self.chip = ec_probe.ECProbe(self.bench.now_ms)
        machine.attach_adc(26, self.chip)
        self.probe = ECProbe(self.adc)

    def test_the_standards_at_other_temperatures(self):
        for temp_c in (10.0, 25.0, 30.0):
            self.chip.temp_c = temp_c
            self.probe.set_temp(int(temp_c * 100))
            for us in (1413, 12880):
                self.chip.ec_s_per_m = us / 10000
                self.assertAlmostEqual(read(self.probe, self.out)[0], us, delta=us // 200 + 5)

    def test_dry(self):
        self.chip.ec_s_per_m = 0.0
        self._fails(self.probe)

    def test_bad_calibration(self):
        for args in ({"mv_low": 2100}, {"us_low": 20000}):
            with self.assertRaises(ConfigError):
                ECProbe(self.adc, **args)
