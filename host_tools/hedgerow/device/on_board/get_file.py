"""Runs on the board: prints a file in base64 lines, then its CRC-32."""

import binascii


def get_file(path):
    crc = 0
    with open(path, "rb") as file:
        block = file.read(768)
        while block:
            crc = binascii.crc32(block, crc)
            print(binascii.b2a_base64(block).decode().strip())
            block = file.read(768)
    print("%08x" % crc)
