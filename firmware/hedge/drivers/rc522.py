"""NXP MFRC522 (RC522 boards) reader of 13.56 MHz tags over SPI: is one there, and which.

    reader = RC522(board.bus("spi", ("spi0", 17)))
    out = array.array("i", (0, 0))
    await reader.read_into(out)  # 1 and the last 24 bits of its number, or 0 and 0
    reader.uid[: reader.uid_bytes]  # all of it, 4 or 7 bytes

Source: "DS" is the MFRC522 data sheet, revision 3.9, 27 April 2016: SPI address byte (DS 8.1.2.3),
registers (DS table 20), timer (DS 8.5), commands (DS 10.3); "ISO" is ISO/IEC 14443-3: WUPA,
anticollision, cascade levels, BCC, CRC_A. Second source of every register, command and setting:
miguelbalboa/rfid (MFRC522.h, MFRC522.cpp), wendlers/micropython-mfrc522.

The field is on while it reads, 10 to 20 ms (26 mA); switching it off lets a tag forget that it was
read. Two tags at once are an error. A number can be copied: it is no proof of who holds the tag.
Clones of the chip with other versions than 0x91 and 0x92 are refused.
"""

from errno import ENODEV

from micropython import const

from ..core.errors import SensorError
from .i2c_sensor import I2CSensor

_REG_COMMAND = const(0x01)
_REG_COM_IRQ = const(0x04)
_REG_ERROR = const(0x06)
_REG_FIFO_DATA = const(0x09)
_REG_FIFO_LEVEL = const(0x0A)
_REG_BIT_FRAMING = const(0x0D)
_REG_MODE = const(0x11)
_REG_TX_MODE = const(0x12)
_REG_RX_MODE = const(0x13)
_REG_TX_CONTROL = const(0x14)
_REG_TX_ASK = const(0x15)
_REG_MOD_WIDTH = const(0x24)
_REG_T_MODE = const(0x2A)
_REG_T_PRESCALER = const(0x2B)
_REG_T_RELOAD_HIGH = const(0x2C)
_REG_T_RELOAD_LOW = const(0x2D)
_REG_VERSION = const(0x37)

_CMD_IDLE = const(0x00)
_CMD_TRANSCEIVE = const(0x0C)
_CMD_SOFT_RESET = const(0x0F)

_POWER_DOWN = const(0x10)  # of CommandReg: still starting
_IRQ_RX = const(0x20)
_IRQ_TIMER = const(0x01)
_IRQ_ALL = const(0x7F)
_FLUSH = const(0x80)
_START_SEND = const(0x80)
_ERRORS = const(0x13)  # overflow, parity, protocol
_COLLISION = const(0x08)
_FORCE_100_ASK = const(0x40)
_FIELD_ON = const(0x83)
_FIELD_OFF = const(0x80)

_WUPA = b"\x52"
_ANTICOLLISION_1 = b"\x93\x20"
_ANTICOLLISION_2 = b"\x95\x20"
_CASCADE_TAG = const(0x88)

_RESET_MS = const(50)
_FIELD_MS = const(6)  # ISO: a tag is ready after 5 ms
_ANSWER_MS = const(2)
_GIVE_UP_MS = const(100)

# Stages of a read: what the last thing sent was.
_NOTHING = const(0)
_WAKE = const(1)
_FIRST_HALF = const(2)
_SELECT = const(3)
_SECOND_HALF = const(4)


def crc_a(data, count):
    """CRC_A of the first count bytes, ISO annex B; its low byte is sent first."""
    crc = 0x6363
    for i in range(count):
        byte = data[i] ^ crc & 0xFF
        byte ^= byte << 4 & 0xFF
        crc = (crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4) & 0xFFFF
    return crc


class RC522(I2CSensor):
    """One reader; spi: hedge.more_buses.SPIDevice. Steps and errors as I2CSensor."""

    NAME = "rc522"

    def __init__(self, spi):
        I2CSensor.__init__(self, spi, 0, 5, _GIVE_UP_MS)
        self.uid = bytearray(7)
        self.uid_bytes = 0
        self._out = bytearray(2)
        self._in = bytearray(2)
        self._frame = bytearray(b"\x93\x70\x88\x00\x00\x00\x00\x00\x00")  # select, and its CRC
        self._stage = _NOTHING
        self._length = 0

    def _read_byte(self, reg):
        self._out[0], self._out[1] = 0x80 | reg << 1, 0
        self._i2c.write_readinto(self._out, self._in)
        return self._in[1]

    def _write_byte(self, reg, value):
        self._out[0], self._out[1] = reg << 1, value
        self._i2c.write_readinto(self._out, self._in)

    def _reset(self, step):
        if step:
            if self._read_byte(_REG_COMMAND) & _POWER_DOWN:
                raise SensorError("rc522: does not start")
            return 0
        self._identify()
        self._write_byte(_REG_COMMAND, _CMD_SOFT_RESET)
        return _RESET_MS

    def _identify(self):
        version = self._read_byte(_REG_VERSION)
        if version in (0x00, 0xFF):  # MISO stays low or is pulled up
            raise OSError(ENODEV)
        if version not in (0x91, 0x92):
            raise SensorError("rc522: version 0x%x, expected 0x91 or 0x92" % version)

    def _configure(self):
        self._write_byte(_REG_TX_MODE, 0)  # 106 kbit/s; CRCs are counted here
        self._write_byte(_REG_RX_MODE, 0)
        self._write_byte(_REG_MOD_WIDTH, 0x26)
        self._write_byte(_REG_T_MODE, 0x80)  # the timer starts when all is sent
        self._write_byte(_REG_T_PRESCALER, 0xA9)  # 40 kHz
        self._write_byte(_REG_T_RELOAD_HIGH, 0)
        self._write_byte(_REG_T_RELOAD_LOW, 200)  # 5 ms
        self._write_byte(_REG_TX_ASK, _FORCE_100_ASK)
        self._write_byte(_REG_MODE, 0x3D)

    def _trigger(self):
        self._identify()  # SPI acknowledges nothing
        self._write_byte(_REG_TX_CONTROL, _FIELD_ON)
        self._stage = _NOTHING
        return _FIELD_MS

    def _collect(self, out):
        stage = self._stage
        if stage == _NOTHING:
            return self._ask(_WUPA, _WAKE, 7)
        irq = self._read_byte(_REG_COM_IRQ)
        if not irq & (_IRQ_RX | _IRQ_TIMER):
            return False
        if not irq & _IRQ_RX:
            if stage == _WAKE:
                return self._finish(out, 0)
            raise SensorError("rc522: the tag went away")
        self._take_answer()
        if stage == _WAKE:
            return self._ask(_ANTICOLLISION_1, _FIRST_HALF)
        if stage == _FIRST_HALF:
            return self._first_half(out)
        if stage == _SELECT:
            if self._length != 3 or crc_a(self._buf, 3):  # over its own CRC it is 0
                raise SensorError("rc522: crc mismatch")
            return self._ask(_ANTICOLLISION_2, _SECOND_HALF)
        self._check_half()
        self._keep(0, 3, 4)
        return self._finish(out, 7)

    def _first_half(self, out):
        self._check_half()
        if self._buf[0] != _CASCADE_TAG:
            self._keep(0, 0, 4)
            return self._finish(out, 4)
        self._keep(1, 0, 3)
        frame = self._frame
        for i in range(5):
            frame[2 + i] = self._buf[i]
        crc = crc_a(frame, 7)
        frame[7], frame[8] = crc & 0xFF, crc >> 8
        return self._ask(frame, _SELECT)

    def _keep(self, start, to, count):
        for i in range(count):
            self.uid[to + i] = self._buf[start + i]

    def _ask(self, data, stage, last_bits=0):
        """Send data, the last byte of it with last_bits (0: all)."""
        self._write_byte(_REG_COMMAND, _CMD_IDLE)
        self._write_byte(_REG_COM_IRQ, _IRQ_ALL)
        self._write_byte(_REG_FIFO_LEVEL, _FLUSH)
        for byte in data:
            self._write_byte(_REG_FIFO_DATA, byte)
        self._write_byte(_REG_COMMAND, _CMD_TRANSCEIVE)
        self._write_byte(_REG_BIT_FRAMING, _START_SEND | last_bits)
        self._stage = stage
        return self._again(_ANSWER_MS)

    def _take_answer(self):
        errors = self._read_byte(_REG_ERROR)
        if errors & _COLLISION:
            raise SensorError("rc522: more than one tag")
        if errors & _ERRORS:
            raise SensorError("rc522: error 0x%x" % errors)
        self._length = min(self._read_byte(_REG_FIFO_LEVEL), len(self._buf))
        for i in range(self._length):
            self._buf[i] = self._read_byte(_REG_FIFO_DATA)

    def _check_half(self):
        """Four bytes and their sum, which is an exclusive or."""
        b = self._buf
        if self._length != 5 or b[0] ^ b[1] ^ b[2] ^ b[3] ^ b[4]:
            raise SensorError("rc522: check byte mismatch")

    def _finish(self, out, count):
        if self._read_byte(_REG_TX_ASK) != _FORCE_100_ASK:
            raise SensorError("rc522: lost its settings, restarted?")
        self._write_byte(_REG_TX_CONTROL, _FIELD_OFF)
        self.uid_bytes = count
        out[0] = 1 if count else 0
        uid = self.uid
        out[1] = (uid[count - 3] << 16 | uid[count - 2] << 8 | uid[count - 1]) if count else 0
        return True


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "NXP MFRC522 (RC522)",
        "class": "RC522",
        "kind": "sensor",
        "bus": "spi",
        "doc": "NXP MFRC522 reader of 13.56 MHz tags",
        "params": {},
        "channels": (("present", "/", 1, 0, 1), ("tag", "count", 1, 0, 16777215)),
        "resolution": (1, 1),
        "raw_bytes": 7,
        "first_ms": 90,
        "convert_ms": 30,
        "max_hz": 10000000,
        "who_am_i": "register 0x37 = 0x91 or 0x92",
        "datasheet": "NXP MFRC522 revision 3.9, 27 April 2016",
        "checked_against": "miguelbalboa/rfid; wendlers/micropython-mfrc522",
    }
