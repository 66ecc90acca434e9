"""The boot ROM of an ESP32, S2, S3, C3 or C6 on a pseudo-terminal, so that esptool can flash it.

Speaks Espressif's serial protocol ("Serial Protocol", esptool documentation): SLIP frames, the
ROM's commands, and those of the flasher stub once one was loaded (the stub's code is not run, its
protocol is spoken). The flash erases to 0xff and programs by AND, as NOR flash does. The reset
lines DTR and RTS do not exist on a pseudo-terminal: Ctrl-C on the line acts as if the board had
been reset, and MicroPython's prompt comes only if a whole firmware is in the flash.
"""

import hashlib
import math
import os
import pty
import struct
import threading
import tty
import zlib

_SYNC, _READ_REG, _WRITE_REG, _SECURITY = 0x08, 0x0A, 0x09, 0x14
_MEM_END = 0x06
_FLASH_BEGIN, _FLASH_DATA, _DEFL_BEGIN, _DEFL_DATA, _MD5 = 0x02, 0x03, 0x10, 0x11, 0x13
_TAKEN = (0x04, 0x05, 0x07, 0x0B, 0x0D, 0x0F, 0x12)  # answered, nothing else happens
_BAD_CHECKSUM, _BAD_COMMAND, _FAILED = 0x07, 0x05, 0x06
_RUN_SPI = 1 << 18

# magic: word at 0x40001000 of the chips that esptool tells by it; others answer GET_SECURITY_INFO
# with their id. The ESP32-S2 answers without one, the ESP32 not at all. spi: base of the flash's
# controller, offsets of USR2 and W0. boot: address of the boot loader. Source: esptool 5.6,
# targets/*.py (MAGIC_VALUE, IMAGE_CHIP_ID, SPI_*, BOOTLOADER_FLASH_OFFSET), get_security_info().
_NEWER = {"magic": 0, "boot": 0}
_CHIPS = {
    "esp32": {"magic": 0x00F01D83, "spi": (0x3FF42000, 0x24, 0x80), "boot": 0x1000, "id": None},
    "esp32s2": {"magic": 0x000007C6, "spi": (0x3F402000, 0x20, 0x58), "boot": 0x1000, "id": None},
    "esp32s3": {**_NEWER, "spi": (0x60002000, 0x20, 0x58), "id": 9},
    "esp32c3": {**_NEWER, "spi": (0x60002000, 0x20, 0x58), "id": 5},
    "esp32c6": {**_NEWER, "spi": (0x60003000, 0x20, 0x58), "id": 13},
}


class EspRom:
    """with EspRom("esp32") as rom: ... rom.port, rom.flash, rom.commands

    unplug_after: close the line at this many blocks of data. unplug_at_byte: of all that is
    received. spoil: this block's bytes are written wrong, as by worn-out flash.
    """

    def __init__(
        self, chip, flash_bytes=4 << 20, *, unplug_after=None, unplug_at_byte=None, spoil=None
    ):
        self.chip, self._name = _CHIPS[chip], chip.upper()
        self.flash = bytearray(b"\xff" * flash_bytes)
        self.commands = []
        self.stub = False
        self._unplug_after, self._unplug_at_byte = unplug_after, unplug_at_byte
        self._spoil = spoil
        self.n_received = 0
        self._unplugged = False
        self._registers = {0x40001000: self.chip["magic"], 0x3FF40014: 347}  # 40 MHz / 115200
        self._at = self._blocks = 0
        self._inflate = None

    def __enter__(self):
        self._line, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._hang_up()
        self._thread.join(90)
        assert not self._thread.is_alive()

    def _hang_up(self):
        if not self._unplugged:
            self._unplugged = True
            os.close(self._slave)
            os.close(self._line)

    def _serve(self):
        frame = None
        while data := self._receive():
            for byte in data:
                if byte == 0xC0:
                    if frame:
                        self._answer(_unslip(frame))
                    frame = None if frame else bytearray()
                elif frame is not None:
                    frame.append(byte)
                elif byte in (2, 3):
                    self._prompt(byte)

    def _receive(self):
        try:
            data = os.read(self._line, 65536)
        except OSError:
            return b""
        self.n_received += len(data)
        left = (self._unplug_at_byte or math.inf) - self.n_received
        if left > 0:
            return data
        self._hang_up()
        return data[: int(left) - 1]

    def _send(self, data):
        try:
            os.write(self._line, data)
        except OSError:
            assert self._unplugged

    def _prompt(self, byte):
        if not self.boots():
            return
        name = self._name
        if byte == 2:
            self._send(
                f"\r\nMicroPython v1.25.0 on 2025-04-15; {name} module with {name}".encode()
            )
            self._send(b'\r\nType "help()" for more information.')
        self._send(b"\r\n>>> ")

    def boots(self):
        """Boot loader and app are where the ROM and the boot loader look for them."""
        return self.flash[self.chip["boot"]] == 0xE9 and self.flash[0x10000] == 0xE9

    def _answer(self, packet):
        direction, op, size, check = struct.unpack_from("<BBHI", packet)
        assert direction == 0
        assert size == len(packet) - 8
        self.commands.append(op)
        body = packet[8:]
        if op == _SYNC:
            for _ in range(8):
                self._reply(op, 0 if self.stub else 0x20120707)
        elif op in _HANDLERS:
            _HANDLERS[op](self, op, body, check)
        elif op in _TAKEN:
            self._reply(op)
        else:
            self._reply(op, error=_BAD_COMMAND)

    def _reply(self, op, value=0, data=b"", error=0):
        status = bytes((error != 0, error)) + (b"" if self.stub else b"\0\0")
        if error:
            data = b""
        head = struct.pack("<BBHI", 1, op, len(data) + len(status), value)
        self._send(_slip(head + data + status))

    def _security(self, op, _, __):
        if self._name == "ESP32":
            return self._reply(op, error=_BAD_COMMAND)
        id_and_version = b"" if self.chip["id"] is None else struct.pack("<II", self.chip["id"], 0)
        return self._reply(op, data=bytes(12) + id_and_version)

    def _read_register(self, op, body, _):
        self._reply(op, self._registers.get(struct.unpack("<I", body)[0], 0))

    def _write_register(self, op, body, _):
        address, value = struct.unpack_from("<II", body)
        base, usr2, w0 = self.chip["spi"]
        self._registers[address] = value
        if address == base and value & _RUN_SPI:
            self._registers[base] = 0
            self._registers[base + w0] = self._spi(self._registers[base + usr2] & 0xFF)
        self._reply(op)

    def _spi(self, command):
        if command == 0x9F:  # JEDEC id: GigaDevice, log2 of the size
            return (len(self.flash).bit_length() - 1) << 16 | 0x40C8
        return 0x50444653 if command == 0x5A else 0  # "SFDP"; status registers read 0

    def _mem_end(self, op, body, _):
        self._reply(op)
        if struct.unpack("<II", body)[1]:
            self.stub = True
            self._send(_slip(b"OHAI"))

    def _begin(self, op, body, _):
        size, _, _, self._at = struct.unpack_from("<IIII", body)
        end = self._at + size
        if end > len(self.flash):
            return self._reply(op, error=_FAILED)
        self.flash[self._at : -(-end // 4096) * 4096] = b"\xff" * (
            -(-end // 4096) * 4096 - self._at
        )
        self._inflate = zlib.decompressobj() if op == _DEFL_BEGIN else None
        return self._reply(op)

    def _data(self, op, body, check):
        data = body[16:]
        total = 0xEF
        for byte in data:
            total ^= byte
        if total != check:
            return self._reply(op, error=_BAD_CHECKSUM)
        self._blocks += 1
        if self._blocks == self._unplug_after:
            return self._hang_up()
        if self._inflate:
            data = self._inflate.decompress(data)
        self._program(bytes(len(data)) if self._blocks == self._spoil else data)
        return self._reply(op)

    def _program(self, data):
        room = data[: len(self.flash) - self._at]
        old = self.flash[self._at : self._at + len(room)]
        self.flash[self._at : self._at + len(room)] = bytes(
            a & b for a, b in zip(old, room, strict=True)
        )
        self._at += len(data)

    def _md5(self, op, body, _):
        at, size = struct.unpack_from("<II", body)
        md5 = hashlib.md5(self.flash[at : at + size])
        self._reply(op, data=md5.digest() if self.stub else md5.hexdigest().encode())


_HANDLERS = {
    _SECURITY: EspRom._security,
    _READ_REG: EspRom._read_register,
    _WRITE_REG: EspRom._write_register,
    _MEM_END: EspRom._mem_end,
    _FLASH_BEGIN: EspRom._begin,
    _DEFL_BEGIN: EspRom._begin,
    _FLASH_DATA: EspRom._data,
    _DEFL_DATA: EspRom._data,
    _MD5: EspRom._md5,
}


def _slip(packet):
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def _unslip(frame):
    return bytes(frame).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
