"""Aosong DHT11 temperature and humidity on one pin.

    sensor = DHT11(board.bus("dht", 14))
    out = array.array("i", (0, 0))
    await sensor.read_into(out)  # centi-degC, centi-%RH

Source: "DS" is the ASAIR DHT11 product manual V1.3: frame with its example (DS: 53 %RH, 24.4
degC), sign in bit 7 of the last temperature byte, 1 s between transfers and the measurement of
the transfer before. Second source of the frame: micropython-lib dht.py (DHT11, whole degrees:
older chips send 0 for the tenths). Transfers as in dht22.py.
"""

from .dht22 import DHT22


class DHT11(DHT22):
    """One sensor. readinto: function(buf) that fills 5 bytes, e.g. Board.bus("dht", pin)."""

    NAME = "dht11"
    PERIOD_MS = 1000

    def _values(self, data, out):
        temp = data[2] * 100 + (data[3] & 0x7F) * 10
        humidity = data[0] * 100 + data[1] * 10
        self._put(-temp if data[3] & 0x80 else temp, -2000, 6000, humidity, 500, 9500, out)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Aosong DHT11",
        "class": "DHT11",
        "kind": "sensor",
        "bus": "dht",
        "doc": "Aosong DHT11 air temperature and humidity on one pin, coarse",
        "params": {},
        "channels": (("temp", "Cel", 100, -20, 60), ("humidity", "%RH", 100, 5, 95)),
        "resolution": (0.1, 1),
        "raw_bytes": 5,
        "first_ms": 2000,
        "convert_ms": 2000,
        "who_am_i": "",
        "datasheet": "ASAIR DHT11 product manual V1.3",
        "checked_against": "micropython-lib dht.py",
    }
