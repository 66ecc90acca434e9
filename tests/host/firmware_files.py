"""Firmware files made by the formats' own descriptions, independent of the code that reads them.

ESP: "Firmware Image Format" (esptool documentation), "Partition Tables" (ESP-IDF). UF2: the
specification (github.com/microsoft/uf2).
"""

import hashlib
import random
import struct

APP_DESCRIPTION = struct.pack("<I", 0xABCD5432)
RP2040, RP2350_ARM = 0xE48BFF56, 0xE48BFF59


def esp_part(esp_id, segments, *, flash_mb=4, checksum_seed=0xEF):
    """One ESP image: header, segments, padding, checksum, SHA-256."""
    size_code = flash_mb.bit_length() - 1
    head = struct.pack("<BBBBI", 0xE9, len(segments), 2, size_code << 4, 0x40080000)
    head += struct.pack("<BBBBHBHHI", 0xEE, 0, 0, 0, esp_id, 0, 0, 0, 0) + b"\x01"  # hashed
    image, total = head, checksum_seed
    for number, data in enumerate(segments):
        image += struct.pack("<II", 0x3F400000 + number * 0x10000, len(data)) + data
        for byte in data:
            total ^= byte
    image += bytes(15 - len(image) % 16) + bytes((total,))
    return image + hashlib.sha256(image).digest()


def esp_firmware(esp_id, *, flash_mb=4, app_bytes=9000, app_id=None, seed=1):
    """Boot loader, partition table and app in one file, as MicroPython's makeimg.py joins them."""
    offset = 0x1000 if esp_id in (0, 2) else 0
    noise = random.Random(seed)
    boot = esp_part(esp_id, [noise.randbytes(1200), noise.randbytes(400)], flash_mb=flash_mb)
    # Half of it noise, half the same byte: compressible, as code is.
    body = noise.randbytes(app_bytes // 2) + bytes(app_bytes - app_bytes // 2)
    app = esp_part(app_id if app_id is not None else esp_id, [APP_DESCRIPTION + body])
    rows = [
        (1, 2, 0x9000, 0x6000, b"nvs"),
        (0, 0, 0x10000, 0x1F0000, b"factory"),
        (1, 0x81, 0x200000, (flash_mb << 20) - 0x200000, b"vfs"),
    ]
    table = b"".join(struct.pack("<HBBII16sI", 0x50AA, *row, 0) for row in rows)
    data = boot.ljust(0x8000 - offset, b"\xff") + table
    return data.ljust(0x10000 - offset, b"\xff") + app


def uf2(data, family=RP2040, *, address=0x10000000):
    """data as 256-byte blocks of one family."""
    pieces = [data[at : at + 256] for at in range(0, len(data), 256)]
    blocks = [
        uf2_block(piece, number, len(pieces), family, address + number * 256)
        for number, piece in enumerate(pieces)
    ]
    return b"".join(blocks)


def uf2_block(piece, number, count, family, address):
    head = (0x0A324655, 0x9E5D5157, 0x2000, address, len(piece), number, count, family)
    block = struct.pack("<IIIIIIII", *head) + piece
    return block.ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)
