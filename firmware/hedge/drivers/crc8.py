"""CRC-8 with polynomial 0x31 (x^8 + x^5 + x^4 + 1), most significant bit first, not reflected.

Sensirion's chips and the AHT20 start at 0xFF: crc8(b"\\xbe\\xef", 0, 2) is 0x92, the example of
the SHT3x datasheet. HTU21D and SI7021 start at 0: crc8(b"\\x68\\x3a", 0, 2, 0) is 0x7c, the
example of the HTU21D datasheet. Bit by bit: a table would cost 256 bytes for some 100 us per word.
"""


def crc8(data, start, end, crc=0xFF):
    """CRC over data[start:end]. Does not allocate."""
    for i in range(start, end):
        crc ^= data[i]
        for _ in range(8):
            crc = crc << 1 ^ (0x131 if crc & 0x80 else 0)
    return crc
