"""Simulated I2C slaves of three kinds: byte registers, 16-bit registers, commands.

A chip overrides what its datasheet says: `load`/`store` of a register, or `execute` of a command;
`settle` finishes what is over by now and runs at each address; `acks` says whether the chip
acknowledges its address now.
Faults of every kind: "nack" refuses data bytes; "bus" holds SDA low, nothing on that bus works.
now_ms: callable giving device time in ms that never goes back. max_hz: a faster bus gets no
acknowledge (a real chip may also answer nonsense).
"""

from .chip import Chip

_BASE_FAULTS = ("nack", "bus")


class I2CChip(Chip):
    """Interface of fake_machine/i2c.py: start, write, read, stop."""

    FAULTS = _BASE_FAULTS
    max_hz = 400000

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.power_on()

    @property
    def holds_bus(self):
        return self.present and self.fault == "bus"

    def settle(self):
        """Bring the state up to now_ms."""

    def acks(self, reading):
        """Whether the chip acknowledges its address in its present state."""
        return True

    def start(self, reading):
        if not self.present:
            return False
        self.settle()
        if not self.acks(reading):
            return False
        self.begin(reading)
        return True

    def begin(self, reading):
        """A transfer to this chip begins."""

    def stop(self):
        """The transfer ends."""


class RegisterChip(I2CChip):
    """8-bit registers behind a pointer that counts up with each byte."""

    def power_on(self):
        self.regs = bytearray(256)
        self.pointer = 0
        self._awaiting = True

    def load(self, reg):
        return self.regs[reg]

    def store(self, reg, value):
        self.regs[reg] = value

    def after(self, reg):
        """The register that follows."""
        return reg + 1 & 0xFF

    def begin(self, reading):
        if not reading:
            self._awaiting = True

    def write(self, byte):
        if self._awaiting:
            self._awaiting = False
            self.pointer = byte
            return True
        if self.fault == "nack":
            return False
        self.store(self.pointer, byte)
        self.pointer = self.after(self.pointer)
        return True

    def read(self):
        value = self.load(self.pointer)
        self.pointer = self.after(self.pointer)
        return value


class WordChip(I2CChip):
    """16-bit registers, most significant byte first; the pointer stays where it is."""

    BYTE_WIDE = ()  # registers of 8 bits among them

    def power_on(self):
        self.words = {}
        self.pointer = 0
        self._count = 0  # bytes of this transfer
        self._high = 0

    def load(self, reg):
        return self.words.get(reg, 0)

    def store(self, reg, value):
        self.words[reg] = value

    def begin(self, reading):
        self._count = 0

    def write(self, byte):
        self._count += 1
        if self._count == 1:
            self.pointer = byte
            return True
        if self.fault == "nack":
            return False
        if self.pointer in self.BYTE_WIDE:
            self.store(self.pointer, byte)
        elif self._count & 1:
            self.store(self.pointer, self._high << 8 | byte)
        self._high = byte
        return True

    def read(self):
        if self.pointer in self.BYTE_WIDE:
            return self.load(self.pointer) & 0xFF
        if not self._count & 1:
            self._latched = self.load(self.pointer) & 0xFFFF
        self._count += 1
        return self._latched >> 8 if self._count & 1 else self._latched & 0xFF


class CommandChip(I2CChip):
    """Commands of one or more bytes; what a command prepared is read in a transfer of its own.

    unknown_commands counts what the datasheet does not have; the battery wants none.
    """

    unknown_commands = 0

    def power_on(self):
        self._command = bytearray()
        self._answer = b""
        self._sent = 0

    def execute(self, command):
        """command: all bytes of one write transfer."""

    def answer(self):
        """Bytes for the read transfer that begins now."""
        return self._answer

    def begin(self, reading):
        self._flush()
        if reading:
            self._answer = self.answer()
            self._sent = 0

    def write(self, byte):
        if self.fault == "nack" and len(self._command) >= self.nack_from:
            self._command = bytearray()
            return False
        self._command.append(byte)
        return True

    nack_from = 1  # the first byte that the fault "nack" refuses

    def read(self):
        self._sent += 1
        return self._answer[self._sent - 1] if self._sent <= len(self._answer) else 0xFF

    def stop(self):
        self._flush()

    def _flush(self):
        if self._command:
            command, self._command = bytes(self._command), bytearray()
            self.execute(command)
