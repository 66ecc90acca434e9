"""Simulated NXP MFRC522 with tags in its field: registers, FIFO, timer, transceive; ISO 14443-3.

    chip = RC522(now_ms)
    machine.attach_spi(0, 17, chip)
    chip.tags = (b"\\x04\\x12\\x34\\x56\\x78\\x9a\\xbc",)  # 4 or 7 bytes each

Written from the MFRC522 data sheet revision 3.9 (register reset values, SPI, timer of 13.56 MHz /
(2 * prescaler + 1)) and ISO/IEC 14443-3: a tag without a field forgets, is ready 5 ms after it
comes, answers WUPA and REQA only while idle, anticollision and select only while ready; a byte
takes 85 us. Second source: miguelbalboa/rfid. CRC_A is a shift register here, not the driver's
formula.
Not simulated: bits of partial anticollision, MIFARE, halt, other bit rates, power-down.

Faults: "busy" never leaves its reset; "crc" spoils the check byte of each tag; "leaves" takes the
tag away after its first answer.
"""

from .chip import Chip

_READY_MS = 5
_RESET_MS = 1
_BYTE_MS = 0.085
_COMMAND, _COM_IRQ, _ERROR, _FIFO, _LEVEL, _FRAMING = 0x01, 0x04, 0x06, 0x09, 0x0A, 0x0D
_TX_CONTROL, _T_MODE, _T_PRESCALER, _T_RELOAD, _VERSION = 0x14, 0x2A, 0x2B, 0x2C, 0x37
_RESET = {0x01: 0x20, 0x04: 0x14, 0x11: 0x3F, 0x14: 0x80, 0x24: 0x26, 0x37: 0x92}


def crc_a(data):
    """Two bytes, the lower first: x16 + x12 + x5 + 1, bits from the low end, from 0x6363."""
    crc = 0x6363
    for byte in data:
        for bit in range(8):
            crc = crc >> 1 ^ (0x8408 if (crc ^ byte >> bit) & 1 else 0)
    return bytes((crc & 0xFF, crc >> 8))


class _Tag:
    """One tag: idle, ready for a half of its number, or selected."""

    def __init__(self, uid, spoilt):
        halves = [uid] if len(uid) == 4 else [b"\x88" + uid[:3], uid[3:]]
        self._halves = [half + bytes((self._check(half) ^ spoilt,)) for half in halves]
        self._next = None  # half that it is asked for now; None: idle

    @staticmethod
    def _check(half):
        return half[0] ^ half[1] ^ half[2] ^ half[3]

    def hear(self, frame, bits):
        """Its answer, or None."""
        if bits == 7 and frame in (b"\x26", b"\x52"):
            self._next = 0 if self._next is None else None
            return None if self._next is None else b"\x04\x00"
        if self._next is None or self._next >= len(self._halves):
            return None
        level = bytes((0x93 + 2 * self._next,))
        half = self._halves[self._next]
        if frame == level + b"\x20":
            return half
        body = level + b"\x70" + half
        if frame != body + crc_a(body):
            self._next = None
            return None
        self._next += 1
        sak = b"\x04" if self._next < len(self._halves) else b"\x08"
        return sak + crc_a(sak)


class RC522(Chip):
    FAULTS = ("busy", "crc", "leaves")

    def __init__(self, now_ms):
        Chip.__init__(self)
        self._now_ms = now_ms
        self.tags = ()
        self.version = 0x92
        self.power_on()

    def power_on(self):
        self._regs = bytearray(64)
        for reg in _RESET:
            self._regs[reg] = _RESET[reg]
        self._regs[_VERSION] = self.version
        self._fifo = []
        self._ready_ms = self._now_ms() + _RESET_MS
        self._field_ms = None
        self._in_field = []
        self._due = None  # (time, answer or None, error bits)
        self.select()

    def select(self):
        self._addr = None

    def deselect(self):
        pass

    def transfer(self, mosi):
        if not self.present:
            return 0xFF
        self._settle()
        if self._addr is None:
            self._addr = mosi
            return 0
        reg = self._addr >> 1 & 0x3F
        if self._addr & 0x80:
            value, self._addr = self._load(reg), mosi
            return value
        self._store(reg, mosi)
        return 0

    def _load(self, reg):
        if reg == _FIFO:
            return self._fifo.pop(0) if self._fifo else 0
        if reg == _LEVEL:
            return len(self._fifo)
        if reg == _COMMAND:
            starting = self.fault == "busy" or self._now_ms() < self._ready_ms
            return self._regs[reg] | (0x10 if starting else 0)
        return self._regs[reg]

    def _store(self, reg, value):
        if reg == _FIFO:
            self._fifo.append(value)
        elif reg == _LEVEL:
            if value & 0x80:
                self._fifo = []
        elif reg == _COM_IRQ:  # bit 7: whether the marked bits are set or cleared
            marked = value & 0x7F
            self._regs[reg] = (
                self._regs[reg] | marked if value & 0x80 else self._regs[reg] & ~marked
            )
        elif reg == _COMMAND and value & 15 == 15:
            self.power_on()
        elif reg not in (_ERROR, _VERSION):
            self._regs[reg] = value
            if reg == _TX_CONTROL:
                self._switch_field(value & 3 == 3)
            elif reg == _FRAMING and value & 0x80 and self._regs[_COMMAND] & 15 == 12:
                self._send(value & 7)

    def _switch_field(self, on):
        if not on:
            self._field_ms = None
            self._in_field = []
        elif self._field_ms is None:
            self._field_ms = self._now_ms()
            spoilt = 1 if self.fault == "crc" else 0
            self._in_field = [_Tag(uid, spoilt) for uid in self.tags]

    def _send(self, bits):
        """Transceive: what is in the FIFO goes out, answers or the timer come."""
        frame, self._fifo = bytes(self._fifo), []
        sent_ms = self._now_ms() + len(frame) * _BYTE_MS
        heard = self._field_ms is not None and self._now_ms() - self._field_ms >= _READY_MS
        answers = [tag.hear(frame, bits) for tag in self._in_field] if heard else []
        answers = [answer for answer in answers if answer is not None]
        if self.fault == "leaves" and answers:
            self._in_field = []
        if answers:
            error = 0x08 if any([answer != answers[0] for answer in answers]) else 0
            self._due = (sent_ms + len(answers[0]) * _BYTE_MS, answers[0], error)
        elif self._regs[_T_MODE] & 0x80:
            prescaler = (self._regs[_T_MODE] & 15) << 8 | self._regs[_T_PRESCALER]
            reload = self._regs[_T_RELOAD] << 8 | self._regs[_T_RELOAD + 1]
            self._due = (sent_ms + (reload + 1) * (2 * prescaler + 1) / 13560, None, 0)

    def _settle(self):
        if self._due is None or self._now_ms() < self._due[0]:
            return
        _, answer, self._regs[_ERROR] = self._due
        self._due = None
        self._regs[_COM_IRQ] |= 0x01 if answer is None else 0x20
        if answer is not None:
            self._fifo = list(answer)
