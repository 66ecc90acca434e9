"""Simulated Bosch BME280: register file, trimming memory, forced and normal mode, timing.

    chip = BME280(now_ms)
    machine.attach_i2c(0, 0x76, chip)
    chip.temp_c, chip.humidity_pct, chip.pressure_pa = 21.5, 55.0, 101325.0

Written from BST-BME280-DS002-15 (memory map table 18, modes 3.3, times 9.1). The raw values are
found by inverting the datasheet's double-precision formulas (DS 8.1), not the integer ones of the
driver, so that the two check each other. Second source of formulas and registers: Bosch
BME280_SensorAPI.

now_ms: callable giving device time in ms that never goes back; conversions end by it.
Faults: "busy" never finishes; "stuck" keeps its first result; "slow" takes 8 times as long; "nack"
refuses data bytes; "bus" holds SDA low, nothing on that bus works; "blank" has empty trimming
memory.
"""

import struct

from .chip import Chip

# Temperature and pressure: example of BST-BMP280-DS001 3.12. Humidity: of the usual size (H2 near
# 360, H4 near 320, H6 30), own choice.
TRIM_T = (27504, 26435, -1000)
TRIM_P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
TRIM_H = (75, 362, 0, 322, 50, 30)

_SAMPLES = (0, 1, 2, 4, 8, 16, 16, 16)  # oversampling by osrs bits
_STANDBY_MS = (0.5, 62.5, 125, 250, 500, 1000, 10, 20)  # DS table 27
_STARTUP_MS = 2


def _signed(value, bits):
    return value & (1 << bits) - 1


def pack_trimming(trim_t, trim_p, trim_h):
    """The 26 bytes from 0x88 and the 7 bytes from 0xE1, as in DS table 16."""
    h1, h2, h3, h4, h5, h6 = trim_h
    low = struct.pack("<HhhHhhhhhhhh", *(tuple(trim_t) + tuple(trim_p))) + bytes((0, h1))
    nibbles = _signed(h4, 4) | _signed(h5, 4) << 4
    high = struct.pack("<hBbBbb", h2, h3, h4 >> 4, nibbles, h5 >> 4, h6)
    return low, high


class BME280(Chip):
    """I2C slave with the interface of fake_machine/i2c.py: start, write, read, stop."""

    FAULTS = ("busy", "stuck", "slow", "nack", "bus", "blank")
    max_hz = 3400000

    def __init__(self, now_ms, trim_t=TRIM_T, trim_p=TRIM_P, trim_h=TRIM_H):
        Chip.__init__(self)
        self._now_ms = now_ms
        self._trim = (trim_t, trim_p, trim_h)
        self.temp_c = 20.0
        self.humidity_pct = 50.0
        self.pressure_pa = 101325.0
        self.conversions = 0
        self.power_on()

    def power_on(self):
        """Registers of DS table 18; trimming values are being copied for 2 ms."""
        self._regs = bytearray(256)
        self._regs[0xD0] = 0x60
        self._regs[0xF7] = self._regs[0xFA] = self._regs[0xFD] = 0x80
        self._osrs_h = 0  # ctrl_hum as of the last write to ctrl_meas
        self._ready_ms = self._now_ms() + _STARTUP_MS
        self._done_ms = None  # end of the running conversion
        self._pointer = 0
        self._awaiting = True  # the next written byte is a register address

    # I2C

    @property
    def holds_bus(self):
        return self.present and self.fault == "bus"

    def start(self, reading):
        if not self.present:
            return False
        self._settle()
        self._awaiting = True
        return True

    def write(self, byte):
        """Pairs of (register address, value); the address does not count up (DS 6.2.1)."""
        if self._awaiting:
            self._pointer = byte
            self._awaiting = False
            return True
        self._awaiting = True
        if self.fault == "nack":
            return False
        self._store(self._pointer, byte)
        return True

    def read(self):
        """The register under the pointer, which counts up (DS 6.2.2)."""
        value = self._load(self._pointer)
        self._pointer = self._pointer + 1 & 0xFF
        return value

    def stop(self):
        self._awaiting = True

    # Registers

    def _store(self, reg, value):
        if reg == 0xE0:
            if value == 0xB6:
                self.power_on()
        elif reg == 0xF2:
            self._regs[reg] = value & 7
        elif reg == 0xF4:
            self._regs[reg] = value
            self._osrs_h = self._regs[0xF2]
            if value & 3 and self._done_ms is None:
                self._begin(self._now_ms())
        elif reg == 0xF5:
            self._regs[reg] = value

    def _load(self, reg):
        if reg == 0xE0:
            return 0
        if reg == 0xF3:
            copying = self._now_ms() < self._ready_ms
            return (8 if self._done_ms is not None else 0) | (1 if copying else 0)
        if 0x88 <= reg <= 0xA1 or 0xE1 <= reg <= 0xE7:
            return self._trimming(reg)
        return self._regs[reg]

    def _trimming(self, reg):
        if self.fault == "blank" or self._now_ms() < self._ready_ms:
            return 0
        low, high = pack_trimming(*self._trim)
        return low[reg - 0x88] if reg < 0xE1 else high[reg - 0xE1]

    # Conversions

    def _begin(self, at_ms):
        t = _SAMPLES[self._regs[0xF4] >> 5]
        p = _SAMPLES[self._regs[0xF4] >> 2 & 7]
        h = _SAMPLES[self._osrs_h]
        # DS 9.1, typical times.
        took_ms = 1 + 2 * t + (2 * p + 0.5 if p else 0) + (2 * h + 0.5 if h else 0)
        self._done_ms = at_ms + took_ms * (8 if self.fault == "slow" else 1)

    def _settle(self):
        """Finish what is over by now; in normal mode the next one begins after standby."""
        if self._done_ms is None or self.fault == "busy":
            return
        now_ms = self._now_ms()
        if now_ms < self._done_ms:
            return
        if self.fault != "stuck" or not self.conversions:
            self._convert()
        if self._regs[0xF4] & 3 == 3:
            self._begin(now_ms + _STANDBY_MS[self._regs[0xF5] >> 5])
        else:
            self._regs[0xF4] &= 0xFC  # DS 3.3.3: back to sleep
            self._done_ms = None

    def _convert(self):
        self.conversions += 1
        trim_t, trim_p, trim_h = self._trim
        adc_t, fine = raw_temp(self.temp_c, trim_t)
        adc_p = raw_pressure(self.pressure_pa, fine, trim_p)
        adc_h = raw_humidity(self.humidity_pct, fine, trim_h)
        self._put20(0xFA, adc_t, self._regs[0xF4] >> 5)
        self._put20(0xF7, adc_p, self._regs[0xF4] >> 2 & 7)
        if not self._osrs_h:
            adc_h = 0x8000
        self._regs[0xFD], self._regs[0xFE] = adc_h >> 8, adc_h & 0xFF

    def _put20(self, reg, raw, osrs):
        """DS 5.4.8: 16 bits at oversampling x1, one more with each step up to 20."""
        if not osrs:
            raw = 0x80000
        unused = max(5 - osrs, 0)
        raw = min(raw + (1 << unused >> 1), 0xFFFFF) >> unused << unused
        self._regs[reg], self._regs[reg + 1] = raw >> 12, raw >> 4 & 0xFF
        self._regs[reg + 2] = raw << 4 & 0xF0


def _bisect(falls_short, top):
    """Smallest raw value in 0..top for which falls_short is False."""
    low, high = 0, top
    while low < high:
        middle = (low + high) // 2
        if falls_short(middle):
            low = middle + 1
        else:
            high = middle
    return low


def temp_fine(adc_t, trim):
    """DS 8.1: temperature in 1/5120 degC as a float."""
    t1, t2, t3 = trim
    var1 = (adc_t / 16384.0 - t1 / 1024.0) * t2
    var2 = adc_t / 131072.0 - t1 / 8192.0
    return var1 + var2 * var2 * t3


def pressure_of(adc_p, fine, trim):
    """DS 8.1: pressure in Pa as a float."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    var1 = fine / 2.0 - 64000.0
    var2 = var1 * var1 * p6 / 32768.0 + var1 * p5 * 2.0
    var2 = var2 / 4.0 + p4 * 65536.0
    var1 = (p3 * var1 * var1 / 524288.0 + p2 * var1) / 524288.0
    var1 = (1.0 + var1 / 32768.0) * p1
    p = (1048576.0 - adc_p - var2 / 4096.0) * 6250.0 / var1
    return p + (p9 * p * p / 2147483648.0 + p * p8 / 32768.0 + p7) / 16.0


def humidity_of(adc_h, fine, trim):
    """DS 8.1: humidity in %RH as a float, not clamped."""
    h1, h2, h3, h4, h5, h6 = trim
    v = fine - 76800.0
    x = adc_h - (h4 * 64.0 + h5 / 16384.0 * v)
    gain = 1.0 + h3 / 67108864.0 * v
    x *= h2 / 65536.0 * (1.0 + h6 / 67108864.0 * v * gain)
    return x * (1.0 - h1 * x / 524288.0)


def raw_temp(temp_c, trim):
    """(adc_T, fine temperature) for a temperature, the nearest the 20-bit converter has."""
    adc = _bisect(lambda raw: temp_fine(raw, trim) < temp_c * 5120.0, 0xFFFFF)
    return adc, temp_fine(adc, trim)


def raw_pressure(pressure_pa, fine, trim):
    """adc_P for a pressure; the raw value falls as the pressure rises."""
    return _bisect(lambda raw: pressure_of(raw, fine, trim) > pressure_pa, 0xFFFFF)


def raw_humidity(humidity_pct, fine, trim):
    """adc_H for a relative humidity."""
    return _bisect(lambda raw: humidity_of(raw, fine, trim) < humidity_pct, 0xFFFF)
