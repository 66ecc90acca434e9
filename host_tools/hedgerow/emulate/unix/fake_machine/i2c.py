"""Simulated I2C controllers: bytes go to register-level chips, with NACK, time-out and stuck bus.

A chip has: start(reading) -> bool, True to acknowledge its address; write(byte) -> bool, True to
acknowledge; read() -> int; stop(). It may have stretch_us, the time it holds SCL per transfer,
holds_bus, True while it keeps SDA low, and max_hz: on a faster bus it does not acknowledge.

What the ports raise was read in MicroPython's sources: an address that nobody acknowledges is
ENODEV on ESP32 (machine_i2c.c, ESP_FAIL) and in SoftI2C (extmod/machine_i2c.c), but EIO on RP2's
hardware I2C for transfers of at least one byte (ports/rp2/machine_i2c.c); a held clock or bus is
ETIMEDOUT on all. `I2C.nack_errno` chooses; drivers must take any OSError. A data byte that is not
acknowledged raises on ESP32 only: RP2's and SoftI2C's writeto returns how many were, and
writeto_mem drops that number. `I2C.data_nack_raises` chooses.
"""

import errno

from . import wiring
from .pin import number_of

_STOP_US = 50000  # default time-out of RP2's and ESP32's I2C


class _Controller:
    nack_errno = errno.ENODEV
    data_nack_raises = True

    def _setup(self, key, freq, timeout):
        if not 1 <= freq <= 5000000:
            raise ValueError("I2C freq %r" % (freq,))
        self._key = key
        self.freq = freq
        self._timeout_us = timeout

    def _chips(self):
        return wiring.i2c.get(self._key, {})

    def _stuck(self):
        if self._key in wiring.stuck_i2c:
            return True
        return any(getattr(chip, "holds_bus", False) for chip in self._chips().values())

    def _address(self, addr, reading):
        """The chip at addr after it acknowledged; raises OSError as the ports do."""
        if self._stuck():
            raise OSError(errno.ETIMEDOUT)
        chip = self._chips().get(addr)
        if chip is None or self.freq > getattr(chip, "max_hz", self.freq):
            raise OSError(self.nack_errno)
        if not chip.start(reading):
            raise OSError(self.nack_errno)
        if getattr(chip, "stretch_us", 0) > self._timeout_us:
            raise OSError(errno.ETIMEDOUT)
        return chip

    def _send(self, chip, data):
        acks = 0
        for byte in data:
            if not chip.write(byte):
                if self.data_nack_raises:
                    chip.stop()
                    raise OSError(errno.EIO)
                break
            acks += 1
        return acks

    def scan(self):
        """Addresses 0x08 to 0x77 that acknowledge; none while the bus is stuck."""
        if self._stuck():
            return []
        return [addr for addr in sorted(self._chips()) if self._answers(addr)]

    def _answers(self, addr):
        chip = self._chips()[addr]
        if not 0x08 <= addr <= 0x77 or not chip.start(False):
            return False
        chip.stop()
        return True

    def writeto(self, addr, buf, stop=True):
        """Returns the number of acknowledged bytes."""
        chip = self._address(addr, False)
        acks = self._send(chip, buf)
        if stop:
            chip.stop()
        return acks

    def writevto(self, addr, vector, stop=True):
        chip = self._address(addr, False)
        acks = 0
        for buf in vector:
            acks += self._send(chip, buf)
        if stop:
            chip.stop()
        return acks

    def readfrom_into(self, addr, buf, stop=True):
        chip = self._address(addr, True)
        for i in range(len(buf)):
            buf[i] = chip.read() & 0xFF
        if stop:
            chip.stop()

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def _register(self, addr, memaddr, addrsize):
        chip = self._address(addr, False)
        self._send(chip, [memaddr >> shift & 0xFF for shift in range(addrsize - 8, -1, -8)])
        return chip

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._register(addr, memaddr, addrsize)
        self.readfrom_into(addr, buf)  # repeated start

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        chip = self._register(addr, memaddr, addrsize)
        self._send(chip, buf)
        chip.stop()

    def deinit(self):
        pass


class I2C(_Controller):
    """machine.I2C(id, scl=, sda=, freq=, timeout=us)."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=_STOP_US):
        if id not in (0, 1):
            raise ValueError("I2C(%r) doesn't exist" % (id,))
        for pin in (scl, sda):
            if pin is not None:
                number_of(pin)
        self._setup(id, freq, timeout)


class SoftI2C(_Controller):
    """machine.SoftI2C(scl, sda, ...): its bus key is the pair of pin numbers."""

    nack_errno = errno.ENODEV

    def __init__(self, scl, sda, *, freq=400000, timeout=_STOP_US):
        self._setup((number_of(scl), number_of(sda)), freq, timeout)
