"""Time on air of a LoRa packet, in integers. Source: SX1276 datasheet rev. 7, section 4.1.1.7
(the formula of Semtech AN1200.13): explicit header, coding rate 4/5, low data rate optimisation
where a symbol lasts 16 ms or more, as LoRaWAN has it.
"""

PREAMBLE_SYMBOLS = 8


def symbol_us(sf, bw_khz):
    """One symbol; sf 7..12, bw_khz 125, 250 or 500."""
    return (1 << sf) * 1000 // bw_khz


def airtime_us(size, sf, bw_khz, crc=True):
    """Microseconds of a packet of `size` bytes; downlinks carry no CRC."""
    symbol = symbol_us(sf, bw_khz)
    bits_per_block = 4 * (sf - 2 if symbol >= 16000 else sf)
    bits = max(8 * size - 4 * sf + 28 + (16 if crc else 0), 0)
    symbols = PREAMBLE_SYMBOLS + 8 + 5 * ((bits + bits_per_block - 1) // bits_per_block)
    return symbols * symbol + symbol * 17 // 4  # 4.25 symbols end the preamble
