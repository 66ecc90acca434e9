"""The power fails at every event of a QoS 2 exchange, or at several: each message exactly once."""

import asyncio
import random
import unittest

from mqtt_power import Life
from store_folder import clear, fresh

from hedge.core import log


def live(version, cuts):
    """One node's life with these cuts; returns how many events each start had."""
    folder = fresh("mqtt_power")
    level, log.level = log.level, log.WARN + 1
    try:
        life = Life(folder + "/node.kv", version, cuts)
        asyncio.run(asyncio.wait_for_ms(life.run(), 20000))
        life.check()
        return life.events
    except BaseException:
        print("version %d, cuts %r" % (version, cuts))
        raise
    finally:
        log.level = level
        clear(folder)


def schedules(count, seed):
    """Random ones, of up to four cuts, early and late."""
    random.seed(seed)
    for _ in range(count):
        cuts = []
        for _ in range(random.randint(1, 4)):
            cuts.append((random.choice(("before", "after")), random.randint(1, 24)))
        yield random.choice((4, 5)), cuts


class TestPower(unittest.TestCase):
    def test_a_cut_at_every_event(self):
        for version in (4, 5):
            events = live(version, [])[0]
            self.assertGreater(events, 15)
            for at in range(1, events + 1):
                for edge in ("before", "after"):
                    live(version, [(edge, at)])

    def test_several_cuts(self):
        for version, cuts in schedules(60, seed=1):
            live(version, cuts)
