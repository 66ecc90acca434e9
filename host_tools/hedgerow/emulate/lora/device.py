"""The device's end of the simulated air, for MicroPython's Unix port: a modem and a clock.

    air = Pipe(sys.stdin, sys.stdout)
    source = AirClock(air); clock.use(source); asyncio.create_task(source.run())
    modem = SimModem(air)          # the interface of micropython-lib's lora drivers

Virtual time is the air's: the program runs until all its tasks sleep, says until when, and blocks
until the air lets it go on, at that time or at what its radio hears before. Lines in README.md.
"""

import time
from binascii import hexlify, unhexlify

from hedgerow.emulate.simclock import SimClock

_IDLE_MS = 1000  # nobody sleeps: tasks that wait in real time get a turn each virtual second
_END_S = 1 << 30


class Pipe:
    """Lines to the air and back. on_event(words): what the radio did."""

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink
        self.on_event = None

    def tell(self, *words):
        """One line, no answer."""
        self._sink.write("@" + " ".join([str(word) for word in words]) + "\n")

    def wait(self, due_ms):
        """Block until the air goes on; returns virtual milliseconds."""
        self.tell("W", due_ms)
        line = self._source.readline().split()
        if not line:
            raise EOFError("the air is gone")
        if len(line) > 1:
            self.on_event(line[1:])
        return int(line[0])


class AirClock(SimClock):
    """hedgerow.emulate.simclock, with the air in place of a pace."""

    def __init__(self, air, start_s):
        SimClock.__init__(self, start_s, start_s + _END_S)
        self._air = air
        self.clock_known = False

    def epoch_s(self):
        return SimClock.epoch_s(self) if self.clock_known else 0

    def set_epoch_s(self, now_s):
        self.clock_known = True

    async def run(self):
        """Until the process ends."""
        while True:
            await self._let_run()
            due_ms = self._sleepers[-1][0] if self._sleepers else self._now_ms + _IDLE_MS
            self._move_to(self._air.wait(due_ms))


class Packet(bytearray):
    """What poll_recv returns: bytes with rssi in dBm and snr in quarters of a dB."""

    rssi = snr = 0


class SimModem:
    """Of micropython-lib's `lora` drivers what hedge.net.lorawan.radio uses."""

    def __init__(self, air):
        self._air = air
        self._config = {}
        self._out = b""
        self._sending = False
        self._receiving = False
        self._packet = None
        air.on_event = self._event

    def configure(self, config):
        self._config.update(config)

    def _rate(self):
        c = self._config
        return int(c["freq_khz"] * 1000 + 0.5), c["sf"], int(c["bw"])

    def prepare_send(self, data):
        self._out = bytes(data)

    def start_send(self):
        self._sending, self._receiving = True, False
        dbm = self._config["output_power"]
        self._air.tell("T", *self._rate(), dbm, hexlify(self._out).decode())
        return False

    def poll_send(self):
        return True if self._sending else time.ticks_add(0, self._ended_ms)

    def start_recv(self, timeout_ms=None, continuous=False, rx_length=0xFF):
        if not self._config["invert_iq_rx"] or self._config["crc_en"]:
            raise ValueError("a device would not hear its gateway like this")
        self._receiving, self._packet = True, None
        self._continuous = continuous
        self._air.tell("R", *self._rate(), -1 if continuous else timeout_ms)
        return False

    def poll_recv(self, rx_packet=None):
        packet, self._packet = self._packet, None
        return packet or self._receiving

    def standby(self):
        self._sending = self._receiving = False
        self._air.tell("S")

    def sleep(self):
        self.standby()

    def _event(self, words):
        if words[0] == "t":
            self._sending = False
            self._ended_ms = int(words[1])
        elif words[0] == "r":
            self._packet = Packet(unhexlify(words[3]))
            self._packet.rssi, self._packet.snr = int(float(words[1])), int(float(words[2]) * 4)
            self._receiving = self._continuous
        else:
            self._receiving = False
