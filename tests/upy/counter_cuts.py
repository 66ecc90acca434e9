"""Cut the power of a node's counters at every flash operation: none goes back, none comes twice.

    micropython tests/upy/counter_cuts.py files|region STEP SEED...

OSCORE sequence numbers, LoRaWAN DevNonces and frame counters, MQTT packets in flight: each in a KV
of its own on one flash, as files of a littlefs or in the raw region that holds the log too. What
a counter gave out was used: after a cut the next one must be higher. What a LoRaWAN band owed
after its latest transmission, it must owe still.
"""

import random
import sys

import powercut
from ram_flash import RamFlash

from hedge.core import clock, log
from hedge.net.coap.oscore.sequence import Sequence
from hedge.net.lorawan import region as plans
from hedge.net.lorawan.duty import Duty
from hedge.net.lorawan.session import Session as LorawanSession
from hedge.net.mqtt_session import Session as MqttSession
from hedge.store import KV, Store
from hedge.store.region import Region

_PLAN = plans.load("EU868")
_KEYS = (0x26011234, b"n" * 16, b"a" * 16)
_MOST_IN_FLIGHT = 8
_HZ = (868100000, 867100000)  # of two bands


class Files:
    """Each KV a file of a littlefs."""

    name = "files"

    @staticmethod
    def blank():
        return powercut.FilesMedium.blank(64)

    @staticmethod
    def start(flash):
        """(store, function that opens a KV)."""
        powercut.mounted(flash)
        store = Store(powercut.MOUNT + "/log", 6144, 512, flush=True)
        return store, lambda name: KV(powercut.MOUNT + "/" + name, True)

    stop = powercut.FilesMedium.stop


class Raw:
    """Each KV in the region."""

    name = "region"

    @staticmethod
    def blank():
        return RamFlash(10, 2048)

    @staticmethod
    def start(flash):
        region = Region(flash, 64)
        return Store(region), lambda name: KV(name, volume=region)

    @staticmethod
    def stop():
        pass


MEDIA = {"files": Files, "region": Raw}


class Time:
    """Device time that moves when it is told to."""

    now_ms = 0

    def ticks_ms(self):
        return self.now_ms

    def epoch_s(self):
        return 0


class _Wire:
    VERSION = 4


class Node:
    """The counters of one start."""

    def __init__(self, medium, flash):
        self.store, kv_of = medium.start(flash)
        self.store.open()
        self._sequence = Sequence(kv_of("oscore.kv"), "bed-3", block=4)
        self.lorawan = LorawanSession(kv_of("lorawan.kv"), _PLAN)
        self.duty = Duty(_PLAN, self.lorawan.kv)
        self.lorawan.before_block = self.duty.next_block
        self.lorawan.start_abp(*_KEYS)
        self._mqtt = MqttSession(kv_of("mqtt.kv"))
        self.inflight = self._mqtt.open("bed-3", _Wire, _MOST_IN_FLIGHT)[1]
        self._mqtt.begin("bed-3", True)
        self.kinds = {
            "oscore": self._sequence.next,
            "nonce": self.lorawan.next_dev_nonce,
            "up": self.lorawan.next_fcnt_up,
            "down": self._down,
        }

    def _down(self):
        self.lorawan.accept_down(self.lorawan.fcnt_down + 1)
        return self.lorawan.fcnt_down

    def transmit(self, time):
        """(band, when its rest is over)."""
        hz, airtime_ms = _HZ[random.getrandbits(1)], random.getrandbits(9) + 1
        time.now_ms += self.duty.wait_ms(hz)
        self.lorawan.next_fcnt_up()
        self.duty.before(hz, airtime_ms)
        self.duty.sent(hz, airtime_ms)
        return _PLAN.band_of(hz), time.now_ms + self.duty.wait_ms(hz)

    def publish(self):
        """Id of a packet that is kept from now on; the oldest makes room for it."""
        if self.inflight.full:
            self.inflight.acked(self.ids()[0])
        packet_id = self.inflight.new_id()
        self.inflight.add(packet_id, bytearray(b"\x32packet"))
        return packet_id

    def ids(self):
        return [packet_id for packet_id, _ in self.inflight.packets()]


class History:
    """used: (place in the journal, kind, number); kept: (place, place of the end, ids).

    air: (place, time, band, end of its rest).
    """

    def __init__(self):
        self.used = []
        self.kept = [(-1, -1, [])]
        self.air = []

    def highest(self, kind, cut):
        return max([n for at, of, n in self.used if of == kind and at <= cut], default=-1)

    def kept_at(self, cut):
        return powercut.saved_at(self.kept, cut)

    def owed_at(self, cut):
        """{band: ms} at the time of the latest transmission before the cut."""
        before = [sent for sent in self.air if sent[0] <= cut]
        ends = {band: end_ms for _, _, band, end_ms in before}
        return {band: ends[band] - before[-1][1] for band in ends}


def _live(medium, flash, history, steps, time):
    node = Node(medium, flash)
    names = sorted(node.kinds)
    for _ in range(steps):
        what = random.getrandbits(4) % 9
        if what < 4:
            number = node.kinds[names[what]]()
            history.used.append((len(flash.journal), names[what], number))
        elif what < 6:
            start = len(flash.journal)
            node.publish()
            history.kept.append((start, len(flash.journal), node.ids()))
        elif what == 6:
            band, end_ms = node.transmit(time)
            history.air.append((len(flash.journal), time.now_ms, band, end_ms))
        else:
            node.store.append(1, bytes(random.getrandbits(5) + 8))
    medium.stop()


def _check(medium, flash, history, cut):
    node = Node(medium, flash)
    try:
        owed = history.owed_at(cut)
        for band in owed:
            assert node.duty._left_ms(band) >= owed[band], "band %d: %s" % (band, owed)
        for kind in node.kinds:
            number, highest = node.kinds[kind](), history.highest(kind, cut)
            assert number > highest, "%s %d after %d" % (kind, number, highest)
        ids = node.ids()
        assert ids in history.kept_at(cut), "in flight: %s" % ids
        assert node.publish() not in ids
    finally:
        medium.stop()


def check_all(medium, seed, step=1, steps=40, starts=3):
    """Number of cuts checked. An AssertionError tells what went back; seed and cut are printed."""
    random.seed(seed)
    flash = medium.blank()
    before, history = flash.copy(), History()
    flash.journal = []
    time = Time()
    former = clock.use(time)
    try:
        for _ in range(starts):
            _live(medium, flash, history, steps, time)
        return _check_all(medium, seed, step, (before, flash.journal), history)
    finally:
        clock.use(former)


def _check_all(medium, seed, step, recorded, history):
    count = 0
    for cut, tear, after in powercut.cuts(*recorded, seed % step, step):
        try:
            _check(medium, after, history, cut)
        except Exception as fault:
            print("%s, seed %d, cut %d, tear %d" % (medium.name, seed, cut, tear))
            raise fault
        count += 1
    return count


def main(name, step, seeds):
    log.level = log.WARN + 1
    total = sum([check_all(MEDIA[name], seed, step) for seed in seeds])
    print("power cuts checked: %d" % total)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [int(seed) for seed in sys.argv[3:]])
