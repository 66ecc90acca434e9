"""GPS driver on recorded receivers: every second that gpsd found a fix in, to the micro-degree.

The logs and what gpsd made of them are gpsd's regression tests (test/daemon/*.log, *.log.chk), in
the optional data folder.
"""

import json
import unittest
from array import array

from driver_bench import Bench

from hedge.core.errors import SensorError
from hedge.drivers.gps import GPS

_LOGS = (
    "bu353-glonass",
    "garmin15x",
    "garmin25lp",
    "haicom-305N",
    "iTrek",
    "mtk-3301",
    "mtk-3329",
    "neo-m8n",
    "nmea-rtk",
    "quectel-eg25-g",
    "ublox-lea-5h",
)


def _folder():
    here = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    return here + "/../../../shared/data/gps/nmea_logs/"


def _lines(name):
    """The file's lines one by one: the largest would not fit a board's heap."""
    with open(_folder() + name) as f:
        for line in f:
            yield line.rstrip()


def _there():
    try:
        return bool(next(_lines(_LOGS[0] + ".log")))
    except OSError:
        return False


def _numbers(line, keys):
    """Values of a report's keys, () if one is missing."""
    report = json.loads(line)
    return tuple([report[key] for key in keys]) if all([key in report for key in keys]) else ()


class _Feed:
    """A UART with bytes that are there from the beginning."""

    def __init__(self):
        self.data = b""

    def init(self, **settings):
        pass

    def any(self):
        return len(self.data)

    def readinto(self, buf):
        buf[0] = self.data[0]
        self.data = self.data[1:]
        return 1


class _OnBench(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.feed = _Feed()
        self.gps = GPS(self.feed)
        self.out = array("i", [0] * 5)

    def tearDown(self):
        self.bench.close()

    def _readings(self, lines):
        """(GGA line, out) for each second with a fix."""
        self.gps.start()
        last_gga = ""
        for line in lines:
            if line[3:6] == "GGA":
                last_gga = line
            self.feed.data += line.encode() + b"\r\n"
            try:
                done = self.gps.poll(self.out)
            except SensorError:
                done = None  # no fix
            if done:
                yield last_gga, tuple(self.out)
            if done is not False:
                self.feed.data = b""
                self.gps.start()


@unittest.skipIf(not _there(), "needs ../shared/data/gps/nmea_logs")
class TestRecorded(_OnBench):
    def _expected(self, name):
        """GGA sentence -> lat, lon in micro-degrees and height in dm, from gpsd's report."""
        expected, gga = {}, None
        for line in _lines(name + ".log.chk"):
            if line[3:6] == "GGA":
                gga = line
            elif gga and line.startswith('{"class":"TPV"'):
                values = _numbers(line, ("lat", "lon", "altMSL"))
                if values:
                    expected[gga] = values
                gga = None
        return expected

    def test_positions_are_gpsds(self):
        compared = 0
        for name in _LOGS:
            expected = self._expected(name)
            for gga, out in self._readings(_lines(name + ".log")):
                if gga in expected:
                    lat, lon, alt_m = expected[gga]
                    self.assertAlmostEqual(out[0], lat * 1e6, delta=1.1, msg=(name, gga))
                    self.assertAlmostEqual(out[1], lon * 1e6, delta=1.1, msg=(name, gga))
                    self.assertAlmostEqual(out[2], alt_m * 10, delta=0.6, msg=(name, gga))
                    compared += 1
        self.assertGreater(compared, 300)

    def test_hostile_sentences_raise_nothing_else(self):
        for _, out in self._readings(_lines("nmea-fuzzy-cases.log")):
            self.assertTrue(-90000000 <= out[0] <= 90000000)


class TestSentences(_OnBench):
    # Receiver description UBX-13003221, examples of 31.2.4 and 31.2.14, one time for both.
    RMC = b"$GPRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*57\r\n"
    GGA = b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n"

    def _poll(self, data):
        self.feed.data = data
        return self.gps.poll(self.out)

    def test_datasheet_sentences(self):
        body = self.RMC[1:-5].replace(b"083559.00", b"092725.00")
        total = 0
        for byte in body:
            total ^= byte
        self.gps.start()
        self.assertFalse(self._poll(self.RMC))  # another second: not one reading
        self.assertFalse(self._poll(self.GGA))
        self.assertTrue(self._poll(b"$" + body + b"*%02x\r\n" % total))
        self.assertEqual(tuple(self.out), (47285233, 8565265, 4996, 0, 8))
        self.assertEqual(self.gps.epoch_s(), 1039426045)  # 2002-12-09 09:27:25 UTC

    def test_a_wrong_checksum_does_not_count(self):
        self.gps.start()
        self._poll(self.GGA.replace(b"499.6", b"999.6"))
        self.assertEqual(self.gps._stamp[0], -1)

    def test_no_date_no_time(self):
        self.assertEqual(self.gps.epoch_s(), 0)
