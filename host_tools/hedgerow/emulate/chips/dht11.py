"""Simulated Aosong DHT11: as the DHT22, once a second, whole percents.

    chip = DHT11(now_ms)
    machine.attach_dht(14, chip)

Written from the ASAIR DHT11 product manual V1.3: whole and tenth in a byte each, bit 7 of the last
is the sign. Inputs and faults: see dht22.py.
"""

from .dht22 import DHT22


class DHT11(DHT22):
    PERIOD_MS = 1000

    def pack(self, temp_c, humidity_pct):
        tenths = int(abs(temp_c) * 10 + 0.5)
        sign = 0x80 if temp_c < 0 else 0
        return bytes((int(humidity_pct + 0.5), 0, tenths // 10, tenths % 10 | sign))
