"""TI TCA9548A switch over I2C: eight buses behind one, for chips with equal addresses.

    switch = TCA9548A(board.i2c("i2c0"))
    left, right = BME280(switch.channel(0)), BME280(switch.channel(1))

Source: "DS" is the TCA9548A datasheet, SCPS207F, November 2016: one control byte, bit n is channel
n, 0 at power-on, effective at the stop condition (DS 8.5.4), addresses 0x70 to 0x77 (DS table 1).
Second source: Linux drivers/i2c/muxes/i2c-mux-pca954x.c (pca9548: a switch with 1 << channel).

A chip on the bus in front of the switch must not have an address that is used behind it. After any
error the channel is selected anew, so a switch that lost its supply comes back by itself.
"""

from .i2c_sensor import write_all


class TCA9548A:
    """One switch on a bus the caller owns; its channels are used one after the other."""

    def __init__(self, i2c, addr=0x70):
        self.i2c = i2c
        self._addr = addr
        self._byte = bytearray(1)
        self._selected = -1  # unknown

    def channel(self, n):
        """Bus n, 0 to 7, with the methods of machine.I2C that drivers use."""
        if not 0 <= n <= 7:
            raise ValueError("channel %d: 0 to 7" % n)
        return Channel(self, n)

    def select(self, n):
        """Connect channel n alone; -1 disconnects all. OSError. Does not allocate."""
        if n != self._selected:
            self._selected = -1
            self._byte[0] = 1 << n if n >= 0 else 0
            write_all(self.i2c, self._addr, self._byte)
            self._selected = n

    def forget(self):
        """What is selected is not known any more."""
        self._selected = -1


class Channel:
    """One bus behind a switch."""

    def __init__(self, switch, n):
        self._switch = switch
        self._n = n

    def scan(self):
        """Addresses that answer; chips in front of the switch are among them."""
        self._switch.forget()
        self._switch.select(self._n)
        return self._switch.i2c.scan()

    def writeto(self, addr, buf, stop=True):
        switch = self._switch
        try:
            switch.select(self._n)
            return switch.i2c.writeto(addr, buf, stop)
        except OSError:
            switch.forget()
            raise

    def readfrom_into(self, addr, buf):
        switch = self._switch
        try:
            switch.select(self._n)
            switch.i2c.readfrom_into(addr, buf)
        except OSError:
            switch.forget()
            raise

    def readfrom_mem_into(self, addr, memaddr, buf):
        switch = self._switch
        try:
            switch.select(self._n)
            switch.i2c.readfrom_mem_into(addr, memaddr, buf)
        except OSError:
            switch.forget()
            raise

    def writeto_mem(self, addr, memaddr, buf):
        switch = self._switch
        try:
            switch.select(self._n)
            switch.i2c.writeto_mem(addr, memaddr, buf)
        except OSError:
            switch.forget()
            raise

    def readfrom_mem(self, addr, memaddr, nbytes):
        """Allocates what it returns."""
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf)
        return bytes(buf)


if __debug__:  # data for the host, see README.md; mpy-cross -O leaves it out
    DRIVER = {
        "chip": "TI TCA9548A, NXP PCA9548A",
        "class": "TCA9548A",
        "kind": "part",
        "program_only": "chips behind it are for code: a node file names buses of the board",
        "bus": "i2c",
        "doc": "TI TCA9548A switch: eight I2C buses behind one",
        "params": {
            "addr": ("int", 0x70, 0x70, 0x77, "I2C address: 112 (0x70) if A0 to A2 are low"),
        },
        "channels": (),
        "resolution": (),
        "raw_bytes": 1,
        "first_ms": 0,
        "convert_ms": 0,
        "addrs": (0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77),
        "max_hz": 400000,
        "who_am_i": "",
        "datasheet": "TI SCPS207F, 2016-11",
        "checked_against": "Linux drivers/i2c/muxes/i2c-mux-pca954x.c",
    }
