"""SenML: RFC 8428 resolution, the small encoding of a record, and refusal of what is wrong."""

import unittest

from hedge.core.errors import FrameError
from hedge.wire import cbor, senml

_NOW_S = 1760000000


def _decode(*records):
    return senml.decode(cbor.encode(list(records)))


class TestEncode(unittest.TestCase):
    def test_one_reading_is_small(self):
        buf = senml.encode(_NOW_S, [("soil.vwc", "%", 23.5)])
        self.assertEqual(cbor.decode(buf), [{-3: _NOW_S, 0: "soil.vwc", 1: "%", 2: 23.5}])
        self.assertEqual(len(buf), 25)

    def test_every_kind_of_value_comes_back(self):
        entries = [
            ("n", "%", 23),
            ("x", "Cel", -1.5),
            ("pump", None, True),
            ("why", None, "water: dry_2d"),
            ("raw", None, b"\x00\xff"),
        ]
        decoded = senml.decode(senml.encode(_NOW_S, entries))
        self.assertEqual(decoded, [(n, u, v, _NOW_S) for n, u, v in entries])
        self.assertIs(decoded[2][2], True)
        self.assertIsInstance(decoded[0][2], int)

    def test_a_common_name_and_unit_are_written_once(self):
        entries = [("soil.vwc.%s" % s, "%", 20) for s in ("min", "mean", "max")]
        buf = senml.encode(_NOW_S, entries)
        self.assertEqual(senml.decode(buf), [(n, u, v, _NOW_S) for n, u, v in entries])
        self.assertEqual(buf.count(b"soil.vwc"), 1)
        self.assertEqual(buf.count(b"%"), 1)

    def test_one_name_may_be_the_beginning_of_another(self):
        entries = [("soil", None, 1), ("soil.vwc", None, 2)]
        self.assertEqual(
            senml.decode(senml.encode(0, entries)),
            [("soil", None, 1, 0), ("soil.vwc", None, 2, 0)],
        )

    def test_a_unit_of_one_entry_stays_with_it(self):
        entries = [("a", "%", 1), ("b", None, 2), ("c", "", 3)]
        units = [unit for _, unit, _, _ in senml.decode(senml.encode(0, entries))]
        self.assertEqual(units, ["%", None, None])

    def test_floats_keep_seven_digits(self):
        for value in (23.4, 0.001234567, 1013.253, -40.06, 8388607.5, 3.0e38):
            got = senml.decode(senml.encode(0, [("x", None, value)]))[0][2]
            self.assertLessEqual(abs(got - value), 1e-7 * abs(value))

    def test_floats_take_the_fewest_bytes(self):
        sizes = [len(senml.encode(0, [("x", None, v)])) for v in (0.5, 23.4)]
        self.assertEqual(sizes, [9, 11])  # float16, float32; float64 never for 7 digits

    def test_the_encoding_is_deterministic(self):
        buf = senml.encode(_NOW_S, [("a.bcd", "%", 1), ("a.bce", "%", 2.5)])
        self.assertEqual(cbor.encode(cbor.decode(buf)), buf)

    def test_what_is_no_measurement_is_refused(self):
        for value in (float("nan"), float("inf")):
            with self.assertRaises(ValueError):
                senml.encode(0, [("x", None, value)])
        with self.assertRaises(TypeError):
            senml.encode(0, [("x", None, None)])
        with self.assertRaises(ValueError):
            senml.encode(0, [])


class TestDecode(unittest.TestCase):
    def test_rfc8428_multiple_data_points(self):
        # RFC 8428 section 5.1.2, second example; its times are relative, its version 5.
        base = {-2: "urn:dev:ow:10e2073a01080063:", -3: 1276020076.0, -4: "A", -1: 5}
        base.update({0: "voltage", 1: "V", 2: 120.1})
        got = _decode(
            base,
            {0: "current", 6: -5, 2: 1.2},
            {0: "current", 2: 1.7},
        )
        self.assertEqual(got[0][:2], ("urn:dev:ow:10e2073a01080063:voltage", "V"))
        self.assertEqual(got[1][:2], ("urn:dev:ow:10e2073a01080063:current", "A"))
        self.assertEqual([t for _, _, _, t in got], [1276020076, 1276020071, 1276020076])

    def test_base_value_and_base_sum_are_added(self):
        got = senml.resolve([{-2: "a", -5: 10, -6: 100, 2: 1, 5: 2}, {2: 5}])
        self.assertEqual([r[senml.VALUE] for r in got], [11, 15])
        self.assertEqual([r[senml.SUM] for r in got], [102, 100])

    def test_a_value_that_is_missing_is_0_where_there_is_a_base_value(self):
        """RFC 8428 section 4.5.4."""
        got = _decode({-5: 10, 0: "a"}, {0: "b", 3: "text"}, {0: "c", 5: 3}, {0: "d", 2: 1})
        self.assertEqual([value for _, _, value, _ in got], [10, "text", None, 11])

    def test_a_record_of_base_fields_only_sets_them(self):
        self.assertEqual(_decode({-2: "a.", -3: 5}, {0: "b", 2: 1}), [("a.b", None, 1, 5)])

    def test_a_sum_alone_has_no_value(self):
        self.assertEqual(_decode({0: "a", 5: 3}), [("a", None, None, 0)])

    def test_a_decimal_fraction_is_a_number(self):
        value = _decode({0: "a", 2: cbor.Decimal(27315, -2)})[0][2]
        self.assertAlmostEqual(value, 273.15, places=4)

    def test_an_int_past_any_float_is_no_number(self):
        with self.assertRaises(FrameError):
            senml.resolve([{0: "a", 2: 1 << 1030}])

    def test_a_huge_int_becomes_a_float(self):
        self.assertIsInstance(_decode({0: "a", 2: 1 << 70})[0][2], float)

    def test_unknown_fields_are_dropped_unless_they_must_be_understood(self):
        self.assertEqual(_decode({0: "a", 2: 1, "x": 5, 99: 1}), [("a", None, 1, 0)])
        with self.assertRaises(FrameError):
            _decode({0: "a", 2: 1, "x_": 5})

    def test_wrong_packs_are_frame_errors(self):
        for pack in (
            1,
            [],
            [1],
            [{}],
            [{0: "a"}],  # no value
            [{2: 1}],  # no name
            [{0: "", 2: 1}],
            [{0: ".a", 2: 1}],
            [{0: "a b", 2: 1}],
            [{0: "\u00fc", 2: 1}],
            [{0: 1, 2: 1}],
            [{0: "a", 2: "1"}],
            [{0: "a", 2: True}],
            [{0: "a", 3: 1}],
            [{0: "a", 4: 1}],
            [{0: "a", 8: "x"}],
            [{0: "a", 2: 1, 3: "x"}],  # two values
            [{0: "a", 2: float("nan")}],
            [{0: "a", 2: float("inf")}],
            [{0: "a", 2: 1, 6: 1e300}],
            [{-3: 1 << 60, 0: "a", 2: 1}],
            [{-1: 11, 0: "a", 2: 1}],  # a later version
            [{-4: 5, 0: "a", 2: 1}],
            [{0: "a", 2: cbor.Decimal(1, 1 << 30)}],
            [{0: "a", 2: 1}] * 65,
        ):
            try:
                got = senml.decode(cbor.encode(pack))
            except FrameError:
                continue
            self.fail("%r gave %r" % (pack, got))
