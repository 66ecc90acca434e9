"""`onewire` with one recorded DS18B20 on every pin, at 16 degC.

On a board it is a module of about this size, in Python as well, over a few functions in C.
"""

_SCRATCHPAD = b"\x00\x01KF\x7f\xff\x0c\x10"


class OneWire:
    def __init__(self, pin):
        self.pin = pin

    def reset(self, required=False):
        return True

    def readbit(self):
        return 1

    def writebyte(self, value):
        pass

    def readinto(self, buf):
        buf[:8] = _SCRATCHPAD
        buf[8] = self.crc8(_SCRATCHPAD)

    def crc8(self, data):
        crc = 0
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
        return crc
