"""The part of CPython's `unittest` that tests/unit uses, for MicroPython.

Unlike micropython-lib's, it takes module objects only and its result counts what ran, so a run
of zero tests cannot pass unseen.
"""

import sys


class SkipTest(Exception):
    pass


class _Raises:
    def __init__(self, expected):
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("%r was not raised" % (self.expected,))
        self.exception = value
        return issubclass(kind, self.expected)


class TestCase:
    def setUp(self):
        pass

    def tearDown(self):
        pass

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def skipTest(self, reason):
        raise SkipTest(reason)

    def _check(self, ok, msg, text):
        if not ok:
            raise AssertionError("%s%s" % (text, ": %s" % msg if msg else ""))

    def assertEqual(self, a, b, msg=None):
        self._check(a == b, msg, "%r != %r" % (a, b))

    def assertNotEqual(self, a, b, msg=None):
        self._check(a != b, msg, "%r == %r" % (a, b))

    def assertTrue(self, x, msg=None):
        self._check(x, msg, "%r is not true" % (x,))

    def assertFalse(self, x, msg=None):
        self._check(not x, msg, "%r is not false" % (x,))

    def assertIs(self, a, b, msg=None):
        self._check(a is b, msg, "%r is not %r" % (a, b))

    def assertIsNone(self, x, msg=None):
        self._check(x is None, msg, "%r is not None" % (x,))

    def assertIsNotNone(self, x, msg=None):
        self._check(x is not None, msg, "unexpectedly None")

    def assertIn(self, x, xs, msg=None):
        self._check(x in xs, msg, "%r not in %r" % (x, xs))

    def assertNotIn(self, x, xs, msg=None):
        self._check(x not in xs, msg, "%r in %r" % (x, xs))

    def assertLess(self, a, b, msg=None):
        self._check(a < b, msg, "%r not < %r" % (a, b))

    def assertLessEqual(self, a, b, msg=None):
        self._check(a <= b, msg, "%r not <= %r" % (a, b))

    def assertGreater(self, a, b, msg=None):
        self._check(a > b, msg, "%r not > %r" % (a, b))

    def assertGreaterEqual(self, a, b, msg=None):
        self._check(a >= b, msg, "%r not >= %r" % (a, b))

    def assertIsInstance(self, x, kind, msg=None):
        self._check(isinstance(x, kind), msg, "%r is not a %r" % (x, kind))

    def assertAlmostEqual(self, a, b, places=7, msg=None, delta=None):
        limit = delta if delta is not None else 0.5 * 10**-places
        self._check(abs(a - b) <= limit, msg, "%r != %r within %r" % (a, b, limit))

    def assertRaises(self, expected, function=None, *args, **kwargs):
        context = _Raises(expected)
        if function is None:
            return context
        with context:
            function(*args, **kwargs)
        return None


def skip(reason):
    def decorate(function):
        def skipped(*args):
            raise SkipTest(reason)

        return skipped

    return decorate


def skipIf(condition, reason):
    return skip(reason) if condition else lambda function: function


def skipUnless(condition, reason):
    return skipIf(not condition, reason)


class Result:
    """Counts of one run; `failed` lists (test name, exception)."""

    def __init__(self):
        self.run = 0
        self.passed = 0
        self.skipped = []
        self.failed = []


def _run_one(case_class, name, result):
    label = "%s.%s" % (case_class.__name__, name)
    result.run += 1
    case = case_class()
    try:
        case.setUp()
        try:
            getattr(case, name)()
        finally:
            case.tearDown()
        result.passed += 1
    except SkipTest as skipped:
        result.skipped.append((label, str(skipped)))
    except Exception as error:  # noqa: BLE001  a test may fail in any way; each is reported
        result.failed.append((label, error))
        print("FAIL", label)
        sys.print_exception(error)


def run_modules(modules):
    """Run every test* method of every TestCase subclass in the modules; returns a Result."""
    result = Result()
    for module in modules:
        for name in sorted(dir(module)):
            case = getattr(module, name)
            if isinstance(case, type) and issubclass(case, TestCase) and case is not TestCase:
                for method in sorted(dir(case)):
                    if method.startswith("test"):
                        _run_one(case, method, result)
    return result
