"""The part of `onewire` above its time slots: bytes, ROMs, search.

Interface checked against micropython-lib, micropython/drivers/bus/onewire; the search is Maxim
application note 187.
"""


class OneWireError(Exception):
    pass


class OneWireBus:
    """A subclass has reset(required=False) -> bool, readbit() -> bit and writebit(bit)."""

    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def readbyte(self):
        value = 0
        for i in range(8):
            value |= self.readbit() << i
        return value

    def writebyte(self, value):
        for i in range(8):
            self.writebit(value >> i & 1)

    def readinto(self, buf):
        for i in range(len(buf)):
            buf[i] = self.readbyte()

    def write(self, buf):
        for byte in buf:
            self.writebyte(byte)

    def select_rom(self, rom):
        """Reset, then address one chip by its 8-byte ROM."""
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def crc8(self, data):
        """Dallas/Maxim CRC-8, 0 over data that ends with its own CRC."""
        crc = 0
        for byte in data:
            for i in range(8):
                mix = (crc ^ byte >> i) & 1
                crc = crc >> 1 ^ (0x8C if mix else 0)
        return crc

    def scan(self):
        """ROMs of all chips on the pin, each 8 bytes."""
        roms = []
        rom, fork = None, 64
        while fork >= 0:
            rom, fork = self._search(rom, fork)
            if rom is None:
                break
            roms.append(rom)
        return roms

    def _search(self, former, fork):
        """One pass: follow former up to bit number fork, take 1 there, 0 at later forks.

        Returns the ROM and the last fork at which 0 was taken (-1: none left), or (None, -1).
        """
        if not self.reset():
            return None, -1
        self.writebyte(self.SEARCH_ROM)
        rom, next_fork = bytearray(8), -1
        for i in range(64):
            bit, complement = self.readbit(), self.readbit()
            if bit and complement:
                return None, -1  # nobody answers any more
            if not bit and not complement:
                bit = self._choose(former, fork, i)
                if not bit:
                    next_fork = i
            self.writebit(bit)
            rom[i >> 3] |= bit << (i & 7)
        return (bytes(rom), next_fork) if self.crc8(rom) == 0 else (None, -1)

    @staticmethod
    def _choose(former, fork, i):
        if former is None or i > fork:
            return 0
        return 1 if i == fork else former[i >> 3] >> (i & 7) & 1
