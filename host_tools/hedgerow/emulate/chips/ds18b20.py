"""Simulated DS18B20 at bit level: ROM search, conversion time, scratchpad, EEPROM, CRC.

    chip = DS18B20(now_ms, serial=0x01)
    machine.attach_onewire(16, chip)
    chip.temp_c = 18.25

Written from the DS18B20 datasheet (Maxim 19-7487 Rev 6), sections Measuring Temperature, Alarm
Signaling, Memory, CRC Generation, ROM and Function Commands. Second source of the codes:
raspberrypi/pico-examples pio/onewire; of the search: Maxim application note 187.
Scratchpad byte 6 behaves as C. Petrich measured on original parts (github.com/cpetrich/
counterfeit_DS18B20): 0x0C at power-on, 0x10 minus the low nibble of byte 0 after a conversion.

now_ms: callable giving device time in ms that never goes back; conversions end by it.
Faults: "crc" flips a bit of what is read; "stuck" keeps its last temperature; "slow" converts
three times as long; "short" ties the line to ground; "brownout" resets at each conversion (85
degC).
"""

from .chip import Chip

_CONVERT_MS = (94, 188, 375, 750)  # DS: 93.75, 187.5, 375, 750 at 9 to 12 bits

_IDLE, _ROM, _MATCH, _SEARCH, _FUNCTION, _SEND, _WRITE, _STATUS = range(8)


def crc8(data):
    """Dallas/Maxim CRC-8 by the shift register of DS, CRC Generation, bit by bit."""
    crc = 0
    for byte in data:
        for i in range(8):
            feedback = (crc ^ byte >> i) & 1
            crc >>= 1
            if feedback:
                crc ^= 0x8C
    return crc


def make_rom(serial, family=0x28):
    """8-byte ROM: family code, 48-bit serial number low byte first, CRC."""
    code = bytes((family,)) + bytes(serial >> 8 * i & 0xFF for i in range(6))
    return code + bytes((crc8(code),))


class DS18B20(Chip):
    """1-Wire slave with the interface of emulate/unix/onewire.py: reset, write_bit, read_bit."""

    FAULTS = ("crc", "stuck", "slow", "short", "brownout")

    def __init__(self, now_ms, serial=1):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.rom = make_rom(serial)
        self.temp_c = 20.0
        self.conversions = 0
        self._eeprom = bytearray(b"\x4b\x46\x7f")  # TH, TL, configuration
        self.power_on()

    def power_on(self):
        self._pad = bytearray(b"\x50\x05\x00\x00\x00\xff\x0c\x10")
        self._pad[2:5] = self._eeprom
        self._done_ms = None
        self._enter(_IDLE)

    def _enter(self, state):
        self._state = state
        self._bits = 0  # bits of this state so far
        self._byte = 0
        self._asked = 0  # reads of this bit of a search: the bit, then its complement
        self._out = b""

    # Line

    def reset(self):
        """Reset pulse; True if the chip answers with a presence pulse (or shorts the line)."""
        if self.fault == "short":
            return True
        if not self.present:
            return False
        self._settle()
        self._enter(_ROM)
        return True

    @property
    def is_sending(self):
        """Whether the next time slot is one in which the chip, not the master, gives the bit."""
        if self._state == _SEARCH:
            return self._asked < 2
        return self.fault == "short" or self._state in (_SEND, _STATUS)

    def write_bit(self, bit):
        if not self.present or self.fault == "short":
            return
        self._settle()
        if self._state == _MATCH:
            self._match(bit)
        elif self._state == _SEARCH:
            self._search_choice(bit)
        elif self._state in (_ROM, _FUNCTION, _WRITE):
            self._byte |= bit << (self._bits & 7)
            self._bits += 1
            if not self._bits & 7:
                byte, self._byte = self._byte, 0
                self._take(byte)

    def read_bit(self):
        if self.fault == "short":
            return 0
        if not self.present:
            return 1
        self._settle()
        if self._state == _SEARCH:
            return self._search_bit()
        if self._state == _STATUS:
            return 0 if self._done_ms is not None else 1
        if self._state == _SEND and self._bits < 8 * len(self._out):
            bit = self._out[self._bits >> 3] >> (self._bits & 7) & 1
            self._bits += 1
            return bit
        return 1

    # Commands

    def _take(self, byte):
        if self._state == _ROM:
            self._rom_command(byte)
        elif self._state == _FUNCTION:
            self._function(byte)
        elif self._bits <= 24:  # write scratchpad: TH, TL, configuration
            i = self._bits // 8 - 1
            self._pad[2 + i] = byte & 0x60 | 0x1F if i == 2 else byte

    def _rom_command(self, code):
        states = {0xCC: _FUNCTION, 0x55: _MATCH, 0xF0: _SEARCH}
        if code == 0x33:  # read ROM
            self._send(self.rom)
        elif code == 0xEC and not self._alarm():
            self._enter(_IDLE)
        else:
            self._enter(_SEARCH if code == 0xEC else states.get(code, _IDLE))

    def _function(self, code):
        if code == 0x44:
            self._begin()
            self._enter(_STATUS)
        elif code == 0xBE:
            self._send(self._read_out())
        elif code == 0x4E:
            self._enter(_WRITE)
        elif code == 0x48:  # copy scratchpad
            self._eeprom[:] = self._pad[2:5]
            self._enter(_STATUS)
        elif code == 0xB8:  # recall
            self._pad[2:5] = self._eeprom
            self._enter(_STATUS)
        elif code == 0xB4:  # read power supply: externally powered
            self._send(b"\xff")
        else:
            self._enter(_IDLE)

    def _send(self, data):
        self._enter(_SEND)
        self._out = bytes(data)

    def _read_out(self):
        data = bytearray(self._pad) + bytes((crc8(self._pad),))
        if self.fault == "crc":
            data[0] ^= 1
        return data

    # ROM matching and search

    def _rom_bit(self):
        return self.rom[self._bits >> 3] >> (self._bits & 7) & 1

    def _match(self, bit):
        if bit != self._rom_bit():
            self._enter(_IDLE)
            return
        self._bits += 1
        if self._bits == 64:
            self._enter(_FUNCTION)

    def _search_bit(self):
        """The bit, then its complement."""
        self._asked += 1
        return self._rom_bit() ^ (self._asked - 1 & 1)

    def _search_choice(self, bit):
        self._asked = 0
        self._match(bit)
        if self._state == _FUNCTION:
            self._enter(_IDLE)

    def _alarm(self):
        """DS: compared with bits 11 to 4 of the temperature after each conversion."""
        temp = (self._pad[1] << 8 | self._pad[0]) >> 4 & 0xFF
        temp, high, low = [b - 256 if b > 127 else b for b in (temp, self._pad[2], self._pad[3])]
        return temp >= high or temp <= low

    # Conversion

    def _resolution(self):
        return self._pad[4] >> 5 & 3

    def _begin(self):
        took_ms = _CONVERT_MS[self._resolution()]
        self._done_ms = self._now_ms() + took_ms * (3 if self.fault == "slow" else 1)

    def _settle(self):
        if self._done_ms is None or self._now_ms() < self._done_ms:
            return
        self._done_ms = None
        self.conversions += 1
        if self.fault == "brownout":
            self.power_on()
        elif self.fault != "stuck":
            self._latch()

    def _latch(self):
        raw = int((min(max(self.temp_c, -55.0), 125.0)) * 16 + 1000.5) - 1000
        raw = raw >> 3 - self._resolution() << 3 - self._resolution()
        self._pad[0], self._pad[1] = raw & 0xFF, raw >> 8 & 0xFF
        self._pad[6] = 0x10 - (raw & 0x0F)
