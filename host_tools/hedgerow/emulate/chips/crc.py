"""CRC-8 by table-free polynomial division over a bit string, unlike the drivers' byte loop."""


def crc8_msb(data, initial, polynomial=0x31):
    """Remainder of the message with initial folded into its first byte, MSB first."""
    value = 0
    for i, byte in enumerate(data):
        value = value << 8 | (byte ^ initial if i == 0 else byte)
    value <<= 8
    divisor = 0x100 | polynomial
    for bit in range(len(data) * 8 + 7, 7, -1):
        if value >> bit & 1:
            value ^= divisor << bit - 8
    return value


def with_crc(word, initial=0xFF):
    """16 bits, high byte first, and their CRC: what Sensirion's chips send."""
    data = bytes((word >> 8, word & 0xFF))
    return data + bytes((crc8_msb(data, initial),))
