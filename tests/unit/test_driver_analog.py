"""Soil probe and battery drivers against their simulated chips on the simulated ADC."""

import unittest
from array import array

import machine
from driver_bench import UPY, Bench, locked_heap, read

from hedge.core.errors import ConfigError, SensorError
from hedge.drivers.battery import Battery
from hedge.drivers.soil_probe import SoilProbe
from hedgerow.emulate.chips import battery as battery_chip
from hedgerow.emulate.chips import soil_probe as probe_chip


class _U16:
    """An ADC of RP2: no read_uv."""

    def __init__(self, value):
        self.value = value

    def read_u16(self):
        return self.value


class _Analog(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.out = array("i", (7,))

    def tearDown(self):
        self.bench.close()

    def _fails(self, sensor):
        with self.assertRaises(SensorError):
            read(sensor, self.out)
        self.assertEqual(self.out[0], 7)


class TestSoilProbe(_Analog):
    def setUp(self):
        _Analog.setUp(self)
        self.chip = probe_chip.SoilProbe()
        machine.attach_adc(26, self.chip)
        self.probe = SoilProbe(self.bench.board.adc(26))

    def test_calibration_points_and_between(self):
        # One step of the 12-bit ADC is 0.8 mV, 0.025 % here.
        for vwc in (0.0, 12.5, 23.4, 37.0, 50.0):
            self.chip.vwc_pct = vwc
            self.assertAlmostEqual(read(self.probe, self.out)[0], vwc * 100, delta=4)

    def test_beyond_the_wet_point_the_line_goes_on_to_a_limit(self):
        self.chip.vwc_pct = 55.0
        self.assertAlmostEqual(read(self.probe, self.out)[0], 5500, delta=4)

    def test_drier_than_dry_is_zero(self):
        self.chip.vwc_pct = -2.0
        self.assertEqual(read(self.probe, self.out)[0], 0)

    def test_faults_are_not_water(self):
        for fault in ("open", "short", "supply"):
            self.chip.fault = fault
            self._fails(self.probe)
        self.chip.fault = None
        self.chip.present = False
        self._fails(self.probe)
        self.chip.present = True
        self.assertAlmostEqual(read(self.probe, self.out)[0], 2500, delta=4)

    def test_in_air_far_outside_the_calibration(self):
        probe = SoilProbe(self.bench.board.adc(26), dry_mv=2200, wet_mv=1200)
        self.chip.vwc_pct = 0.0  # 2800 mV: a quarter of the span above 2200 is 2450
        self._fails(probe)

    def test_a_third_point_bends_the_line(self):
        machine.attach_adc(26, probe_chip.SoilProbe(curvature=1.5))
        curved = probe_chip.SoilProbe(curvature=1.5)
        curved.vwc_pct = 20.0
        mid_mv = int(curved.mv() + 0.5)
        bent = SoilProbe(self.bench.board.adc(26), mid_mv=mid_mv, mid_pct=20)
        straight_error = bent_error = 0
        machine.attach_adc(26, curved)
        for vwc in range(0, 51, 5):
            curved.vwc_pct = vwc
            straight_error = max(straight_error, abs(read(self.probe, self.out)[0] - vwc * 100))
            bent_error = max(bent_error, abs(read(bent, self.out)[0] - vwc * 100))
        self.assertGreater(straight_error, 1000)
        self.assertLess(bent_error, 400)

    def test_rising_probe(self):
        probe = SoilProbe(_U16(1500 * 65535 // 3300), dry_mv=500, wet_mv=2500, wet_pct=40)
        self.assertAlmostEqual(read(probe, self.out)[0], 2000, delta=3)

    def test_noise_is_averaged(self):
        machine.attach_adc(26, self.chip, noise_mv=20)
        self.chip.vwc_pct = 30.0
        total = sum([read(self.probe, self.out)[0] for _ in range(50)])
        self.assertAlmostEqual(total / 50, 3000, delta=20)

    def test_bad_calibrations(self):
        for args in (
            {"dry_mv": 1000, "wet_mv": 1000},
            {"dry_pct": 50, "wet_pct": 50},
            {"mid_mv": 3000, "mid_pct": 20},
            {"mid_mv": 2000, "mid_pct": 60},
        ):
            with self.assertRaises(ConfigError):
                SoilProbe(None, **args)


class TestBattery(_Analog):
    def setUp(self):
        _Analog.setUp(self)
        self.chip = battery_chip.Battery()
        machine.attach_adc(27, self.chip)
        self.battery = Battery(self.bench.board.adc(27))

    def test_charge_curve_through_the_divider(self):
        for charge in (0.0, 5.0, 50.0, 100.0):
            self.chip.charge_pct = charge
            self.assertAlmostEqual(read(self.battery, self.out)[0], self.chip.cell_mv(), delta=2)

    def test_load_pulls_it_down(self):
        full_mv = read(self.battery, self.out)[0]
        self.chip.load_ma = 400.0
        self.assertAlmostEqual(full_mv - read(self.battery, self.out)[0], 60, delta=2)

    def test_cut_divider(self):
        self.chip.fault = "open"
        self._fails(self.battery)

    def test_beyond_the_converter(self):
        self._fails(Battery(_U16(65535)))

    def test_unequal_divider_on_a_port_without_read_uv(self):
        battery = Battery(_U16(32768), r_top_ohm=470000, r_bottom_ohm=100000)
        self.assertAlmostEqual(read(battery, self.out)[0], 1650 * 5.7, delta=6)

    def test_no_divider(self):
        battery = Battery(_U16(32768), r_top_ohm=0, r_bottom_ohm=1)
        self.assertEqual(read(battery, self.out)[0], 1650)

    def test_bad_dividers(self):
        for top, bottom in ((1, 0), (-1, 100), (10000000, 1000)):
            with self.assertRaises(ConfigError):
                Battery(None, top, bottom)


@unittest.skipIf(not UPY, "needs the MicroPython heap lock")
class TestAllocation(unittest.TestCase):
    def test_polls_do_not_allocate(self):
        adc, out = _U16(40000), array("i", (0,))
        probe, battery = SoilProbe(adc), Battery(adc)
        with locked_heap():
            probe.start()
            probe.poll(out)
            battery.start()
            battery.poll(out)
        self.assertEqual(out[0], 4028)
