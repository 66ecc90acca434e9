"""A test case without the log's lines."""

import unittest

from hedge.core import log


class QuietCase(unittest.TestCase):
    """The log stays silent. A subclass calls on setUp() and tearDown()."""

    def setUp(self):
        self._level, log.level = log.level, log.WARN + 1

    def tearDown(self):
        log.level = self._level
