"""What the drivers of I2C sensors share: cold start, trigger, wait, collect, and errors.

A driver subclasses I2CSensor and fills in these steps:

    _reset(step)  bring the chip to a known state, step 0, 1, ...: returns the ms until the next
                  step, 0 when there is none
    _configure()  who_am_i and settings; called once after the last step
    _trigger()    begin a measurement; returns the ms until _collect is worth trying
    _collect(out) read and decode, by default the answer to a command; False while the chip is
                  busy, or after self._again(ms), which is for chips that measure one thing after
                  the other

Any exception in a step sends the sensor back to the cold state: the next read begins with _reset.
Does not allocate unless it raises.
"""

from micropython import const

from ..core import clock
from ..core.errors import SensorError
from .crc8 import crc8

_COLD = const(0)
_RESETTING = const(1)
_MEASURING = const(2)
_IDLE = const(3)
_EIO = const(5)


class I2CSensor:
    """One chip on a bus the caller owns; the caller serialises concurrent reads."""

    NAME = "sensor"  # begins the text of every error
    POLL_MS = 2  # between two looks at a chip that takes longer than it should
    _word_out = None  # register and word: few chips need it

    def __init__(self, i2c, addr, answer_bytes, give_up_ms):
        self._i2c = i2c
        self._addr = addr
        self._buf = bytearray(answer_bytes)
        self._byte = bytearray(1)
        self._word = bytearray(2)
        self._give_up_ms = give_up_ms
        self._state = _COLD
        self._step = 0
        self._started_ms = 0
        self._wait_ms = 0

    async def read_into(self, out):
        """Measure once and write all channels into out, in the order of DRIVER["channels"].

        Raises OSError if the bus fails or nothing answers, SensorError if the answer is wrong; out
        is left untouched and the next read starts anew. The coroutine is all that it allocates.
        """
        await clock.sleep_ms(self.start())
        while not self.poll(out):
            await clock.sleep_ms(max(self._wait_ms - self._elapsed_ms(), self.POLL_MS))

    def start(self):
        """Begin a measurement (after an error a reset); returns the ms until poll may be ready."""
        cold = self._state == _COLD
        self._state = _COLD  # until the transfers below succeed
        if cold:
            self._step = 0
            self._wake()
        else:
            self._enter(_MEASURING, self._trigger())
        return self._wait_ms

    def poll(self, out):
        """True once out is written, False while busy; errors as read_into."""
        state, elapsed_ms = self._state, self._elapsed_ms()
        if state != _RESETTING and state != _MEASURING:
            raise SensorError(self.NAME + ": poll without start")
        if elapsed_ms < self._wait_ms:
            return False
        self._state = _COLD  # stays so if anything below raises
        if state == _RESETTING:
            self._step += 1
            self._wake()
            return False
        if self._collect(out):
            self._state = _IDLE
            return True
        if self._state != _COLD:  # _again()
            return False
        if elapsed_ms >= self._give_up_ms:
            raise SensorError("%s: still busy after %d ms" % (self.NAME, elapsed_ms))
        self._state = state
        return False

    def forget(self):
        """What the chip is set to is not known any more: the next read starts with its reset."""
        self._state = _COLD

    def _wake(self):
        """The present step of the reset, or what follows the last one."""
        wait_ms = self._reset(self._step)
        if wait_ms:
            self._enter(_RESETTING, wait_ms)
        else:
            self._configure()
            self._enter(_MEASURING, self._trigger())

    def _again(self, wait_ms):
        """From _collect: the chip measures once more, look again after wait_ms."""
        self._enter(_MEASURING, wait_ms)
        return False

    def _reset(self, step):
        return 0

    def _collect(self, out):
        """The usual one: read the answer to the command and decode it."""
        self._i2c.readfrom_into(self._addr, self._buf)
        self.decode_into(self._buf, out)
        return True

    def _configure(self):
        pass

    def _enter(self, state, wait_ms):
        self._state = state
        self._wait_ms = wait_ms
        self._started_ms = clock.ticks_ms()

    def _elapsed_ms(self):
        return clock.ticks_diff(clock.ticks_ms(), self._started_ms)

    def _read_byte(self, reg):
        self._i2c.readfrom_mem_into(self._addr, reg, self._byte)
        return self._byte[0]

    def _write_byte(self, reg, value):
        self._word[0], self._word[1] = reg, value
        self._command(self._word)

    def _read_word(self, reg):
        """16 bits, most significant byte first, unsigned."""
        self._i2c.readfrom_mem_into(self._addr, reg, self._word)
        return self._word[0] << 8 | self._word[1]

    def _write_word(self, reg, value):
        if self._word_out is None:
            self._word_out = bytearray(3)
        out = self._word_out
        out[0], out[1], out[2] = reg, value >> 8, value & 0xFF
        self._command(out)

    def _command(self, code):
        """Write a command of bytes."""
        write_all(self._i2c, self._addr, code)

    def _check_crc(self, data, start, end, crc=0xFF):
        """data[end] must be the CRC-8 of data[start:end]."""
        if crc8(data, start, end, crc) != data[end]:
            raise SensorError(self.NAME + ": crc mismatch")

    def _check_words(self, data):
        """Sensirion's answers: two bytes and their CRC, as often as data is long."""
        for i in range(0, len(data), 3):
            self._check_crc(data, i, i + 2)

    def _expect(self, what, value, expected):
        """Raise SensorError if an identification does not fit."""
        if value != expected:
            raise SensorError("%s: %s 0x%x, expected 0x%x" % (self.NAME, what, value, expected))

    def _check_range(self, value, lowest, highest):
        if not lowest <= value <= highest:
            raise SensorError("%s: %d is out of range" % (self.NAME, value))


def write_all(i2c, addr, data):
    """Write data in one transfer; OSError if the chip does not acknowledge a byte of it.

    Not writeto_mem: on an RP2 it is silent about a byte that was not acknowledged, so that an old
    measurement would be read as a new one, and it allocates a copy. There writeto gives their
    number; an ESP32's raises by itself.
    """
    if i2c.writeto(addr, data) != len(data):
        raise OSError(_EIO)


def signed16(value):
    """Two's complement of 16 bits."""
    return value - 0x10000 if value & 0x8000 else value
