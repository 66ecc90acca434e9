"""DS18B20 thermometer on a 1-Wire pin.

    sensor = DS18B20(board.onewire(16))
    out = array.array("i", (0,))
    await sensor.read_into(out)  # out[0] centi-degC

Source: "DS" is the DS18B20 datasheet, Maxim Integrated 19-7487 Rev 6, 7/19, sections Measuring
Temperature (format, 85 degC at power-on, read slots while converting), Memory (scratchpad),
Configuration Register (resolution and times) and Function Commands. Second source of each command
code and of the temperature word: micropython-lib ds18x20.py and raspberrypi/pico-examples
pio/onewire/ds18b20.h; of the times: the SparkFun copy of the datasheet, page 9. Behaviour of
copies, and scratchpad byte 6: C. Petrich, github.com/cpetrich/counterfeit_DS18B20, README of
2019-11.
"""

from binascii import unhexlify
from errno import ENODEV

from micropython import const

from ..core import clock
from ..core.errors import ConfigError, SensorError

_FAMILY = const(0x28)
_SKIP_ROM = const(0xCC)
_MATCH_ROM = const(0x55)
_CONVERT_T = const(0x44)
_WRITE_SCRATCHPAD = const(0x4E)
_READ_SCRATCHPAD = const(0xBE)

_CONVERT_MS = const(750)  # DS: at 12 bits; halves with each bit less: 375, 188, 94
_SLOWEST_MS = const(1000)  # copies take up to 700 ms, some whatever the resolution
_POLL_MS = const(20)

_POWER_ON_RAW = const(0x0550)  # DS: 85 degC before the first conversion
_LOWEST_RAW = const(-880)  # -55 degC
_HIGHEST_RAW = const(2000)  # 125 degC


class DS18B20:
    """One sensor. The bus belongs to the caller, who must not run two reads on a pin at once."""

    def __init__(self, onewire, rom="", resolution_bits=12):
        """onewire: onewire.OneWire. rom: 16 hex digits or 8 bytes, family code first; empty if it
        is alone on the pin. Raises ConfigError if the ROM is not a DS18B20's or its CRC is wrong.
        """
        if not 9 <= resolution_bits <= 12:
            raise ConfigError("ds18b20: resolution_bits %r" % (resolution_bits,))
        self._ow = onewire
        self._rom = _parse_rom(rom)
        self._config = (resolution_bits - 9) << 5 | 0x1F
        self.convert_ms = (_CONVERT_MS >> 12 - resolution_bits) + 1
        self._configured = False
        self._started_ms = 0
        self._buf = bytearray(9)

    async def read_into(self, out):
        """Convert, wait and write [centi-degC] into out.

        Raises OSError(ENODEV) if nothing answers, SensorError if the answer is wrong (CRC, line
        shorted, power-on value, out of range, still busy after 1 s); out is left untouched.
        """
        wait_ms = self.start()
        await clock.sleep_ms(wait_ms)
        while not self.poll(out):
            await clock.sleep_ms(_POLL_MS)

    def start(self):
        """Begin a conversion; returns the ms until poll may be ready. Does not allocate."""
        if not self._configured:
            self._configure()
        self._select()
        self._ow.writebyte(_CONVERT_T)
        self._started_ms = clock.ticks_ms()
        return self.convert_ms

    def poll(self, out):
        """True once out is written, False while the sensor converts; errors as read_into.

        Does not allocate unless it raises.
        """
        elapsed_ms = clock.ticks_diff(clock.ticks_ms(), self._started_ms)
        if elapsed_ms < self.convert_ms:
            return False
        if not self._ow.readbit():  # DS: 0 while converting (with external supply)
            if elapsed_ms < _SLOWEST_MS:
                return False
            self._configured = False
            raise SensorError("ds18b20: still converting after %d ms" % elapsed_ms)
        self._read_scratchpad()
        self._configured = self._buf[4] == self._config  # lost if its supply failed
        self.decode_into(self._buf, out)
        return True

    def decode_into(self, scratchpad, out):
        """Write [centi-degC, rounded half up] of a checked 9-byte scratchpad into out."""
        raw = scratchpad[1] << 8 | scratchpad[0]
        if raw & 0x8000:
            raw -= 0x10000
        # After a conversion to 85 degC byte 6 is 0x10, at power-on 0x0C, in most copies always
        # 0x0C: those give up one of 2880 values rather than report a start-up as heat.
        if raw == _POWER_ON_RAW and scratchpad[6] != 0x10:
            raise SensorError("ds18b20: power-on value, conversion lost")
        raw &= -1 << 3 - (scratchpad[4] >> 5 & 3)  # DS: bits below the resolution are undefined
        if not _LOWEST_RAW <= raw <= _HIGHEST_RAW:
            raise SensorError("ds18b20: out of range")
        out[0] = raw * 25 + 2 >> 2

    def _select(self):
        if not self._ow.reset():
            self._configured = False
            raise OSError(ENODEV)
        if self._rom is None:
            self._ow.writebyte(_SKIP_ROM)
        else:
            self._ow.writebyte(_MATCH_ROM)
            self._ow.write(self._rom)

    def _configure(self):
        """Set the resolution in the sensor's RAM; alarm bytes stay, its EEPROM is not worn."""
        self._read_scratchpad()
        if self._buf[4] != self._config:
            self._select()
            self._ow.writebyte(_WRITE_SCRATCHPAD)
            self._ow.writebyte(self._buf[2])
            self._ow.writebyte(self._buf[3])
            self._ow.writebyte(self._config)
        self._configured = True

    def _read_scratchpad(self):
        self._select()
        self._ow.writebyte(_READ_SCRATCHPAD)
        self._ow.readinto(self._buf)
        b = self._buf
        if self._ow.crc8(b) != 0 or b[4] & 0x9F != 0x1F:
            # Byte 4 is 0RR11111: this refuses nine zeros from a shorted line, whose CRC is right.
            self._configured = False
            if b[0] & b[1] & b[4] & b[8] == 0xFF:
                raise OSError(ENODEV)  # only the pull-up answered: the addressed chip is gone
            raise SensorError("ds18b20: crc mismatch" if any(b) else "ds18b20: line shorted")


def _parse_rom(rom):
    """8 bytes, or None for empty. The CRC is checked here so that a typo shows at start."""
    if not rom:
        return None
    try:
        code = unhexlify(rom) if isinstance(rom, str) else bytes(rom)
    except ValueError:
        code = b""
    if len(code) != 8 or code[0] != _FAMILY or _crc8(code):
        raise ConfigError("ds18b20: rom %r is not a DS18B20's" % (rom,))
    return code


def _crc8(data):
    """Dallas/Maxim CRC-8 (x^8 + x^5 + x^4 + 1, reflected), 0 over data with its CRC at the end."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "Maxim/Analog Devices DS18B20",
        "class": "DS18B20",
        "kind": "sensor",
        "bus": "onewire",
        "doc": "Maxim/Analog Devices DS18B20 thermometer on a 1-Wire pin",
        "params": {
            "rom": ("str", "", 0, 16, "16 hex digits from family code to CRC; empty if alone"),
            "resolution_bits": ("int", 12, 9, 12, "9 to 12 bits: 94, 188, 375 or 750 ms"),
        },
        "channels": (("temp", "Cel", 100, -55, 125),),
        "resolution": (0.0625,),
        "raw_bytes": 9,
        "first_ms": 751,
        "convert_ms": 750,
        "who_am_i": "ROM family code 0x28; configuration byte 0RR11111",
        "active_ua": 1000,
        "standby_ua": 0.75,
        "datasheet": "Maxim Integrated 19-7487 Rev 6, 7/19",
        "checked_against": "micropython-lib ds18x20.py; pico-examples pio/onewire/ds18b20.h",
    }
